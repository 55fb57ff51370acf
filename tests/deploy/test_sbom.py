"""The bill of materials: all that the service is made of, with hashes, as CycloneDX has it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_names_every_package_of_the_lock(tmp_path: Path) -> None:
    """At its version, with the hashes that an installation accepts; written as `make sbom` does."""
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = make[make.index("uv tool run") : make.index("\n\n", make.index("uv tool run"))]
    arguments = recipe.replace("\\\n", " ").replace("dist/", f"{tmp_path}/").split()
    program = shutil.which(str(Path(sys.executable).with_name(arguments[0])))
    assert program, "make sbom needs uv"
    subprocess.run([program, *arguments[1:]], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads((tmp_path / "aige.cdx.json").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {one["name"]: one["version"] for one in bill["components"]} == locked
    assert bill["metadata"]["component"]["name"] == "aige"
    for one in bill["components"]:
        (reference,) = one["externalReferences"]
        assert {digest["alg"] for digest in reference["hashes"]} == {"SHA-256"}
