# SPDX-License-Identifier: MIT
"""The guest's root: an initramfs (cpio, newc) of this machine's files that the tests need, with their libraries."""
import glob
import os
import re
import stat
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
GUEST_TREE = "/jopil"

COMMANDS = """awk basename bash bats bpftool cat chmod chown comm cp cut date dd diff dirname env expr find flock getent
	grep head id ip jq ln ls mkdir mkfifo mktemp mount mv nft nproc nsenter od ping printf ps python3 readlink
	realpath rm rmdir sed seq setpriv sort ss stat sysctl tail taskset tc tee timeout touch tr true umount uname uniq unshare wc
	""".split()
PYTHON = "argparse concurrent.futures.thread encodings.idna glob json os re shutil socket struct subprocess sys tempfile threading time".split()
FOLDERS = ["/usr/lib/bats-core", "/usr/libexec/bats-core"]
MODULES = """veth tun dummy sch_ingress cls_bpf act_bpf nf_tables nft_ct nf_conntrack inet_diag tcp_diag udp_diag
	raw_diag unix_diag packet_diag netlink_diag tls kcm sctp aesni_intel gcm ccm""".split()
# Of the tree: what speaks to the kernel. What does not is tested without one.
TESTS = """exact loader reader probes connections processes drops latency kernel""".split()
PROBES = "packet connection process drop latency".split()
PROGRAMS = "loader reader aggregator".split()

MOUNT_POINTS = "proc sys dev run tmp root mnt".split()
TEXTS = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/bash\n",
    "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


class Root:
    """Files by their path in the guest."""

    def __init__(self):
        self.entries = {}
        self.seen = set()

    def add_text(self, path, text):
        self.add(path, stat.S_IFREG | 0o644, text.encode())

    def folder_of(self, path):
        parent = os.path.dirname(path)
        if parent not in self.entries and parent != "/":
            self.folder_of(parent)
            self.entries[parent] = (stat.S_IFDIR | 0o755, b"", 0)

    def add(self, path, mode, data, mtime=0):
        self.folder_of(path)
        self.entries[path] = (mode, data, mtime)

    def add_file(self, source, path=None):
        path = path or source
        if path in self.entries:
            return
        info = os.stat(source)
        with open(source, "rb") as f:
            data = f.read()
        self.add(path, stat.S_IFREG | stat.S_IMODE(info.st_mode), data, int(info.st_mtime))
        if data[:4] == b"\x7fELF":
            self.add_libraries(source)

    def add_libraries(self, path):
        listed = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            if library not in self.seen:
                self.seen.add(library)
                self.add_file(os.path.realpath(library), library)

    def add_tree(self, source, path=None):
        for folder, _, names in os.walk(source):
            for name in names:
                full = os.path.join(folder, name)
                self.add_file(os.path.realpath(full), (path or source) + full[len(source):])

    def write(self, target):
        """cpio(5), newc: names without the leading slash; kernel: Documentation/driver-api/early-userspace."""
        with open(target, "wb") as f:
            for number, (path, (mode, data, mtime)) in enumerate(sorted(self.entries.items()), 1):
                write_entry(f, number, path[1:], mode, data, mtime)
            write_entry(f, 0, "TRAILER!!!", 0, b"", 0)


def write_entry(f, number, name, mode, data, mtime):
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, mtime, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % n for n in fields) + name
    f.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))


def add_commands(root):
    path = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    for name in COMMANDS:
        found = [p for p in (os.path.join(d, name) for d in path.split(":")) if os.path.exists(p)]
        if not found:
            raise FileNotFoundError(f"{name}: not installed")
        root.add_file(os.path.realpath(found[0]), f"/usr/bin/{name}")
    root.add_file("/bin/busybox")
    root.add("/bin/sh", stat.S_IFLNK | 0o777, b"/usr/bin/bash")
    root.add("/bin/bash", stat.S_IFLNK | 0o777, b"/usr/bin/bash")
    for folder in FOLDERS:
        root.add_tree(folder)


def add_python(root):
    """The modules that the tests import, with what these import, and their compiled twins."""
    script = f"import {','.join(PYTHON)}, sys\nfor m in list(sys.modules.values()):\n" \
        " for n in ('__file__', '__cached__'): print(getattr(m, n, None) or '')"
    for path in subprocess.run(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, check=True,
                               text=True).stdout.split():
        if os.path.isfile(path):
            root.add_file(path)


def documented(kernel):
    """What the first table of docs/KERNELS.md says of a kernel: {"packet": True, "tcx": False, ...}."""
    with open(f"{TREE}/docs/KERNELS.md", encoding="utf-8") as f:
        rows = [[cell.strip(" `") for cell in line.strip().strip("|").split("|")] for line in f if line.startswith("|")]
    column = rows[0].index(kernel)
    return {row[0]: row[column] == "yes" for row in rows[2:] if len(row) == len(rows[0])}


def add_ours(root, build, probes):
    scripts = [p for p in glob.glob(f"{TREE}/tests/netns/*") if not p.endswith((".c", ".h"))]
    for path in scripts + glob.glob(f"{TREE}/tests/kernels/*.bats") + [f"{TREE}/tests/run"]:
        if not path.endswith(".bats") or os.path.basename(path)[:-5] in TESTS:
            root.add_file(path, GUEST_TREE + path[len(TREE):])
    root.add_file(f"{HERE}/init", "/init")
    built = [f"{build}/bin/{p}" for p in PROGRAMS] + glob.glob(f"{build}/tests/netns/*")
    # Of tests/bpf what is quick: the parser is the same on any kernel, and netns has the other probes, loader included.
    built += [f"{build}/tests/bpf/test_latency"] if "latency" in probes else []
    for path in built:
        if not path.endswith(".d"):
            root.add_file(path, f"{GUEST_TREE}/build{path[len(build):]}")


def dependencies(path):
    """Names of the modules that this one needs: .modinfo has depends=a,b."""
    with open(path, "rb") as f:
        found = re.search(rb"\0depends=([^\0]*)\0", f.read())
    return [n for n in found.group(1).decode().split(",") if n] if found else []


def add_modules(root, folder):
    """With what they need before them, in the order in which they are to be loaded."""
    order = []

    def need(name):
        path = next((p for p in (f"{folder}/{n}.ko" for n in (name, name.replace("_", "-"))) if os.path.exists(p)), None)
        if not path or path in order:
            return
        for other in dependencies(path):
            need(other)
        order.append(path)
        root.add_file(path, f"/modules/{os.path.basename(path)}")

    for name in MODULES:
        need(name)
    root.add_text("/modules/order", "".join(f"{os.path.basename(p)}\n" for p in order))


def make_root(build, kernel, can):
    """Everything but modules. The tests are told what the kernel is said to be able to do: they hold it to that."""
    root = Root()
    probes = [name for name in PROBES if can[name]]
    for name in MOUNT_POINTS:
        root.add(f"/{name}", stat.S_IFDIR | 0o755, b"")
    for path, text in TEXTS.items():
        root.add_text(path, text)
    root.add_text("/documented", "".join(f"{name} {'yes' if there else 'no'}\n" for name, there in can.items()))
    lacks = " ".join(name for name, there in can.items() if not there)
    root.add_text("/environment", f"export JOPIL_KERNEL={kernel} JOPIL_PROBES='{' '.join(probes[1:])}' "
                  f"JOPIL_LACKS='{lacks}'\n" +
                  ("" if can["unprivileged_maps"] else "export JOPIL_READER_CAPS=+bpf\n"))
    add_commands(root)
    add_python(root)
    add_ours(root, build, probes)
    return root
