# SPDX-License-Identifier: MIT
"""Debian's cloud kernels, fetched from the mirror that this machine's apt uses, unpacked and kept.

CACHE/RELEASE/vmlinuz, CACHE/RELEASE/modules/NAME.ko: what a guest needs, unpacked. CACHE/apt: apt's lists, apart from
the machine's own. A kernel that is there is not asked for again; take CACHE away to get newer ones.
"""
import glob
import lzma
import os
import re
import shutil
import subprocess
import tempfile

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
# Where in a kernel package the modules lie that tests of the network may ask for.
MODULE_FOLDERS = ("net", "drivers/net", "lib", "crypto", "arch/x86/crypto")

# Name: distribution, its further parts, the package. The newest one that matches is taken.
KERNELS = {
    "5.10": ("bullseye", [], r"linux-image-(5\.10\.0-\d+-cloud-amd64)"),
    "6.1": ("bookworm", [], r"linux-image-(6\.1\.0-\d+-cloud-amd64)"),
    "6.12": ("trixie", [], r"linux-image-(6\.12\.\d+\+deb13-cloud-amd64)"),
    "6.18": ("trixie", ["backports"], r"linux-image-(6\.18\.\d+\+deb13-cloud-amd64)"),
    "7": ("trixie", ["backports"], r"linux-image-(7\.\d+\.\d+\+deb13-cloud-amd64)"),
}


class Unavailable(Exception):
    """Why there is no such kernel here."""


def version_key(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def mirror():
    """JOPIL_MIRROR, or the Debian mirror in the machine's own sources, whichever their format."""
    if os.environ.get("JOPIL_MIRROR"):
        return os.environ["JOPIL_MIRROR"].rstrip("/")
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for uri in done.stdout.split():
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    return DEFAULT_MIRROR


def sources(name, parts):
    base = mirror()
    line = f"deb [signed-by={KEYRING}] "
    return "".join([f"{line}{base} {name} main\n",
                    f"{line}{base.removesuffix('/debian')}/debian-security {name}-security main\n"] +
                   [f"{line}{base} {name}-{part} main\n" for part in parts])


class Apt:
    """apt with lists and settings of its own; asks the network once in a process."""

    updated = {}  # folder: what apt complained of

    def __init__(self, cache, name, parts):
        self.folder = os.path.join(cache, "apt", "-".join([name] + parts))
        for sub in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, sub), exist_ok=True)
        for path, text in (("state/status", ""), ("sources.list", sources(name, parts))):
            with open(os.path.join(self.folder, path), "w", encoding="utf-8") as f:
                f.write(text)

    def run(self, tool, *args, cwd=None):
        return self.complete(tool, *args, cwd=cwd).stdout

    def complete(self, tool, *args, cwd=None):
        f = self.folder
        options = {"Dir::State": f"{f}/state", "Dir::State::status": f"{f}/state/status", "Dir::Cache": f"{f}/cache",
                   "Dir::Etc::sourcelist": f"{f}/sources.list", "Dir::Etc::sourceparts": "/dev/null",
                   "APT::Architecture": "amd64", "APT::Architectures": "amd64", "APT::Sandbox::User": "root",
                   "APT::Update::Post-Invoke-Success::": "", "Acquire::Retries": "2"}
        argv = [tool] + [x for k, v in options.items() for x in ("-o", f"{k}={v}")] + list(args)
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        if done.returncode:
            words = (done.stderr.strip().splitlines() or ["failed"])[0]
            raise Unavailable(f"{tool} {args[0]}: {words}")
        return done

    def update(self):
        """Returns what could not be read, "" if all was: to apt that is no failure."""
        if self.folder not in Apt.updated:
            complaints = self.complete("apt-get", "update", "-qq").stderr.strip().splitlines()
            Apt.updated[self.folder] = complaints[0] if complaints else ""
        return Apt.updated[self.folder]


def cached(cache, pattern):
    """The newest RELEASE that is there, or None."""
    found = [r for r in (os.path.basename(os.path.dirname(p)) for p in glob.glob(f"{cache}/*/complete"))
             if re.fullmatch(pattern, f"linux-image-{r}")]
    return max(found, key=version_key, default=None)


def packages_of(apt, image):
    """From 7.x on the image is empty; the kernel and its modules are packages that it depends on."""
    depends = apt.run("apt-cache", "depends", "--no-recommends", "--no-suggests", image)
    return [image] + re.findall(r"Depends: (linux-(?:binary|modules)-\S+)", depends)


def keep_modules(tree, to):
    os.makedirs(to)
    for folder in MODULE_FOLDERS:
        for path in glob.glob(f"{tree}/**/lib/modules/*/kernel/{folder}/**/*.ko*", recursive=True):
            name = os.path.basename(path).split(".ko")[0] + ".ko"
            opener = lzma.open if path.endswith(".xz") else open
            with opener(path, "rb") as source, open(os.path.join(to, name), "wb") as target:
                shutil.copyfileobj(source, target)


def unpack(debs, to):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(to)) as tree:
        for deb in debs:
            subprocess.run(["dpkg-deb", "-x", deb, tree], check=True)
        images = glob.glob(f"{tree}/boot/vmlinuz-*") + glob.glob(f"{tree}/**/lib/modules/*/vmlinuz", recursive=True)
        if not images:
            raise Unavailable("the package holds no kernel")
        shutil.copyfile(images[0], os.path.join(to, "vmlinuz"))
        keep_modules(tree, os.path.join(to, "modules"))


def fetch(cache, name):
    """The folder of this kernel in the cache, which may first have to be filled. Raises Unavailable."""
    distribution, parts, pattern = KERNELS[name]
    release = cached(cache, pattern)
    if release:
        return os.path.join(cache, release)
    apt = Apt(cache, distribution, parts)
    unread = apt.update()
    images = [p for p in apt.run("apt-cache", "pkgnames", "linux-image-").split() if re.fullmatch(pattern, p)]
    if not images:
        raise Unavailable(f"the mirror ({mirror()}, {distribution}) " +
                          (f"cannot be read: {unread}" if unread else f"has no {name} cloud kernel"))
    image = max(images, key=version_key)
    folder = os.path.join(cache, image.removeprefix("linux-image-"))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "debs"))
    apt.run("apt-get", "download", "-qq", *packages_of(apt, image), cwd=os.path.join(folder, "debs"))
    unpack(glob.glob(f"{folder}/debs/*.deb"), folder)
    shutil.rmtree(os.path.join(folder, "debs"))
    with open(os.path.join(folder, "complete"), "w", encoding="utf-8"):
        pass
    return folder
