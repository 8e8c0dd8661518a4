"""Cypher for attributes that users add: typed properties of Instance; no I/O."""

import re
from collections.abc import Sequence
from functools import cache

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)

# The attributes in use, as lines of a file of attributes.
REMEMBERED = "MATCH (s:Schema) UNWIND s.user_tags AS line RETURN line"
REMEMBER = "MATCH (s:Schema) SET s.user_tags = $lines"


@cache
def user_values(names: Sequence[str]) -> str:
    """Return the statement that writes properties of the user; a null removes one.

    Rows: SOP Instance UID, values in the order of the names.

    Raises
    ------
    ValueError
        A name is no identifier.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError("the name of a property has letters, digits and underscores only")
    values = ", ".join(f"i.{name} = r[{at}]" for at, name in enumerate(names, 1))
    return f"UNWIND $rows AS r\nMATCH (i:Instance {{SOPInstanceUID: r[0]}})\nSET {values}"
