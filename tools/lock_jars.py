"""Write rtgraph/store/jars.lock: every jar of the managed server with its sha256 and size.

Example: python tools/lock_jars.py 5.26.30 5.24.0
         python tools/lock_jars.py 2026.08.1 - tests/server/newer.lock

The versions are those of Neo4j Community and of Neo4j Browser (- for none), the file another lock,
such as that of the second server of the tests. Each jar is fetched once into a temporary folder and
thrown away; run the server tests with the new lock before it is committed.
"""

import hashlib
import logging
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Dependency, MavenContext

LOCK = Path(__file__).parents[1] / "rtgraph" / "store" / "jars.lock"
HEAD = """\
# Made by tools/lock_jars.py: the jars of Neo4j Community {neo4j} {browser}.
# group artifact version classifier (- for none) sha256 size
"""


def main(neo4j: str, browser: str, lock: str = str(LOCK)) -> None:
    """Resolve the server, its storage engine and Browser, and freeze what they need."""
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(12) as pool:
        context = MavenContext(repo_cache=Path(folder), timeout=30)
        coordinates = [
            f"org.neo4j:neo4j:{neo4j}",  # the database; the server alone has no storage
            f"org.neo4j.app:neo4j-server:{neo4j}",
            *([] if browser == "-" else [f"org.neo4j.client:neo4j-browser:{browser}"]),
        ]
        roots = [context.create_dependency(coordinate) for coordinate in coordinates]
        named, needed = context.resolver.resolve(roots)
        lines = sorted(pool.map(_line, [*named, *needed]))
    client = "without Neo4j Browser" if browser == "-" else f"with Neo4j Browser {browser}"
    Path(lock).write_text(
        HEAD.format(neo4j=neo4j, browser=client) + "".join(lines), encoding="utf-8", newline="\n"
    )
    print(f"{len(lines)} jars, {sum(int(line.split()[-1]) for line in lines) / 1e6:.0f} MB")


def _line(jar: Dependency) -> str:
    content = jar.artifact.resolve().read_bytes()
    return (
        f"{jar.groupId} {jar.artifactId} {jar.version} {jar.classifier or '-'}"
        f" {hashlib.sha256(content).hexdigest()} {len(content)}\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
