"""Statuses of DIMSE answers: which they are, what they mean, and whether to ask again.

PS3.4 B.2.3 (C-STORE), C.4 (C-FIND, C-MOVE, C-GET) and PS3.7 C (any service).
"""

SUCCESS, CANCELLED = 0x0000, 0xFE00
PENDING = frozenset({0xFF00, 0xFF01})
# Some or all sub-operations failed; what is missing is seen by what has come.
WARNING, NOT_SENT = 0xB000, 0xA702
# What a storage SCP answers to what it does not store.
OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000
UNKNOWN_DESTINATION = 0xA801
# Failures that every other request of the same kind will have as well: no such service, not for
# us, no such operation, destination unknown.
FOR_ALL = frozenset({0x0122, 0x0124, 0x0211, UNKNOWN_DESTINATION})
# Failures that the same request may not have later.
TRANSIENT = frozenset({0xA700, 0xA701, NOT_SENT, 0x0110, 0x0213})
MEANINGS = {
    0xA700: "out of resources", 0xA701: "out of resources, matches cannot be counted",
    NOT_SENT: "out of resources, objects cannot be sent",
    UNKNOWN_DESTINATION: "it does not know our AE title",
    0xA900: "the request does not fit its model", 0x0122: "it does not support this service",
    0x0124: "we are not authorised", 0x0110: "processing failed", 0x0111: "duplicate request",
    0x0211: "it does not know this operation", CANCELLED: "it ended the operation",
}
