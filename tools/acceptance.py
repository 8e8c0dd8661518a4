"""Export synthetic patients for nnU-Net and MONAI, and let both say whether they take them.

    python -m tools.acceptance FOLDER

Not part of CI: it makes a virtual environment in FOLDER/environment and installs nnunetv2 and monai
there, which bring PyTorch; --python names one that has them. The graph is that of the managed
server, in FOLDER/home.
"""

import argparse
import subprocess
import sys
import venv
from pathlib import Path

from tests.data import planned

PACKAGES = ("nnunetv2==2.8.1", "monai==1.3.2", "nibabel==5.4.2", "httpx")
PATIENTS = 5
NAMES = "[cohort]\n\"par re\" = \"Parotid_R\"\n"
NNUNET = """\
import sys
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
if __name__ == "__main__":
    verify_dataset_integrity(sys.argv[1], 1)
    print("nnU-Net accepts the data set")
"""
MONAI = """\
import sys
from monai.data import DataLoader, Dataset, load_decathlon_datalist
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
folder = sys.argv[1]
keys = ["image", "label", "dose"]
read = Compose([LoadImaged(keys=keys), EnsureChannelFirstd(keys=keys)])
for split in ("training", "validation", "test"):
    items = load_decathlon_datalist(folder + "/datalist.json", True, split, folder)
    for batch in DataLoader(Dataset(items, read), batch_size=1):
        shapes = {tuple(batch[k].shape) for k in keys}
        assert len(shapes) == 1, shapes
        assert set(batch["label"].unique().tolist()) == {0, 1, 2, 3}
        assert all((batch["image"].affine == batch[k].affine).all() for k in keys)
    print(split, len(items), "cases of shape", *shapes)
"""


def environment(folder: Path) -> Path:
    """Return the Python of an environment that has both."""
    home = folder / "environment"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (home / "ready").touch()
    return python


def exported(folder: Path) -> None:
    """Put synthetic patients into a graph and export them for both."""
    for k in range(PATIENTS):
        planned.write(planned.chain(f"PAT-{k}"), folder / "in" / str(k))
    (folder / "names.toml").write_text(NAMES, encoding="utf-8")
    rtgraph = [sys.executable, "-m", "rtgraph"]
    home = ["--data", str(folder / "home")]
    subprocess.run([*rtgraph, "ingest", str(folder / "in"), *home], check=True)
    for preset in ("nnunet", "monai"):
        shown = subprocess.run([*rtgraph, "preprocess", "export", "--preset", preset, "--show"],
                               check=True, capture_output=True, encoding="utf-8").stdout
        config = folder / f"{preset}.toml"
        config.write_text(shown.replace("[masks]", "[masks]\nnames = \"names.toml\""),
                          encoding="utf-8")
        subprocess.run([*rtgraph, "preprocess", "export", "--config", str(config), *home,
                        "-o", str(folder / preset), "-j", "2"], check=True)
    subprocess.run([*rtgraph, "down", *home], check=True)


def main() -> None:
    """Export, then ask both."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tools.acceptance")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, help="Python that has nnunetv2 and monai")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    exported(folder)
    python = given.python.absolute() if given.python else environment(folder)
    for name, script in (("nnunet", NNUNET), ("monai", MONAI)):
        file = folder / f"ask_{name}.py"
        file.write_text(script, encoding="utf-8")
        subprocess.run([str(python), str(file), str(folder / name)], check=True)


if __name__ == "__main__":
    main()
