// Everything derived is made anew from stored facts.

// name: mark_series
MATCH (s:Series)
CALL (s) { SET s.dirty = true } IN TRANSACTIONS OF 10000 ROWS;

// name: mark_frames
MATCH (f:FrameOfReference)
CALL (f) { SET f.dirty = true } IN TRANSACTIONS OF 10000 ROWS;
