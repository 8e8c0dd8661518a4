"""Cases of the checks: small courses with one fault each, and what may be taken for one.

A case is a row: the check, a name, the steps that change a sound course, and what the checks must
find in it, in words of the course. Each case is a patient of its own; all stand in one graph.
"""
