#!/usr/bin/env python3
"""Writes the stored topologies of this folder: hwloc's synthetic descriptions with PCI devices put in by hand.

    cd tests/topologies && ./make.py        (needs lstopo-no-graphics, Debian package hwloc-nox)

hwloc cannot make up PCI devices, so they are inserted here, below the object whose PUs they are near to. Sizes are small
enough for a person to check the expected mappings beside them.
"""

import subprocess
import xml.etree.ElementTree as ET

NVIDIA = ("10de", "NVIDIA Corporation")
AMD = ("1002", "Advanced Micro Devices, Inc. [AMD/ATI]")
ASPEED = ("1a03", "ASPEED Technology, Inc.")
VIA = ("1106", "VIA Technologies, Inc.")
INTEL = ("8086", "Intel Corporation")
AMAZON = ("1d0f", "Amazon.com, Inc.")


def hardware_threads(cores):
    """Two a core, counted as Linux does on x86: first one of each core, then the other of each."""
    return "pu:2(indexes=" + ",".join(f"{core},{core + cores}" for core in range(cores)) + ")"


def gpus(parent, vendor, device, name, buses, kind="0302", os_devices=()):
    """GPUs below one object: (parent, PCI bus id, class, vendor, device, name, names of the OS devices below it)."""
    return [(parent, bus, kind, vendor, device, name, os_devices) for bus in buses]


H200 = (NVIDIA, "2335", "GH100 [H200 SXM 141GB]")
A100 = (NVIDIA, "20b2", "GA100 [A100 SXM4 80GB]")
T4 = (NVIDIA, "1eb8", "TU104GL [Tesla T4]")
V100 = (NVIDIA, "1db1", "GV100GL [Tesla V100 SXM2 16GB]")
MI250X = (AMD, "7408", "Aldebaran/MI200 [Instinct MI250X]")
MI300X = (AMD, "74a1", "Aqua Vanjaram [Instinct MI300X]")

# file: (hwloc's synthetic description, PCI devices, changes to the Machine object)
MACHINES = {
    "laptop": ("pack:1 [numa] core:4 " + hardware_threads(4), [], {}),
    "two-by-two-by-two": ("pack:2 [numa] core:2 " + hardware_threads(4), [], {}),
    "raspberry-pi": (
        "pack:1 [numa] core:4 pu:1",
        gpus("Package:0", VIA, "3483", "VL805/806 xHCI USB 3.0", ["0000:01:00.0"], "0c03"),
        {},
    ),
    "two-sockets-four-gpus": (
        "pack:2 [numa] core:8 pu:1",
        gpus("Package:0", *A100, ["0000:07:00.0", "0000:0b:00.0"])
        + gpus("Package:1", *A100, ["0000:88:00.0", "0000:8b:00.0"]),
        {},
    ),
    # NUMA node 0 owns GPUs 4 and 5, node 3 owns 0 and 1.
    "crossed-numbering": (
        "pack:1 group:4 [numa] core:4 " + hardware_threads(16),
        gpus("Group:3", *MI250X, ["0000:c1:00.0", "0000:c6:00.0"], "0380")
        + gpus("Group:1", *MI250X, ["0000:c9:00.0", "0000:ce:00.0"], "0380")
        + gpus("Group:0", *MI250X, ["0000:d1:00.0", "0000:d6:00.0"], "0380")
        + gpus("Group:2", *MI250X, ["0000:d9:00.0", "0000:de:00.0"], "0380"),
        {},
    ),
    "smt-four": (
        "pack:2 [numa] core:4 pu:4",
        gpus("Package:0", *V100, ["0004:04:00.0", "0004:05:00.0"]) + gpus("Package:1", *V100, ["0035:03:00.0"]),
        {},
    ),
    "management-vga": (
        "pack:2 group:2 [numa] core:4 pu:1",
        gpus("Group:0", ASPEED, "2000", "ASPEED Graphics Family", ["0000:03:00.0"], "0300")
        + gpus("Group:1", *H200, ["0000:43:00.0"])
        + gpus("Group:2", *H200, ["0000:8d:00.0"]),
        {},
    ),
    "eight-gpus-one-socket": (
        "pack:1 [numa] core:16 pu:1",
        gpus("Package:0", *T4, [f"0000:{bus:02x}:00.0" for bus in range(0x10, 0x18)]),
        {},
    ),
    "eight-gpus-first-socket": (
        "pack:2 [numa] core:12 pu:1",
        gpus("Package:0", *T4, [f"0000:{bus:02x}:00.0" for bus in range(0x10, 0x18)]),
        {},
    ),
    # GPUs nearer to one cache than to the rest of the NUMA node.
    "gpu-at-a-cache": (
        "pack:1 [numa] l3:4 core:2 pu:1",
        gpus("L3Cache:1", *MI250X, ["0000:c1:00.0"], "0380") + gpus("L3Cache:3", *MI250X, ["0000:c6:00.0"], "0380"),
        {},
    ),
    # A virtual machine: hwloc hangs the devices on the whole machine.
    "unknown-locality": (
        "pack:2 [numa] core:4 pu:1",
        gpus("Machine:0", *A100, ["0000:00:05.0", "0000:00:06.0"]),
        {},
    ),
    "virtual-functions": (
        "pack:1 [numa] core:6 pu:1",
        gpus("Package:0", *A100, ["0000:65:00.0", "0000:65:00.4", "0000:65:00.5"])
        + gpus("Package:0", *A100, ["0000:66:00.0"]),
        {},
    ),
    # A resource manager has given 6 of 16 cores to the job.
    "part-of-a-node": (
        "pack:2 [numa] core:8 pu:1",
        gpus("Package:0", *A100, ["0000:07:00.0"]) + gpus("Package:1", *A100, ["0000:88:00.0"]),
        {"allowed_cpuset": "0x00000f03"},
    ),
    # Each level 3 cache is a NUMA node, as a setting of AMD's firmware has it.
    "caches-as-numa": ("pack:2 group:6 [numa] core:2 pu:1", [], {}),
    # As before, with GPUs of which only the package is known.
    "gpus-of-a-package": (
        "pack:2 group:4 [numa] core:2 pu:1",
        gpus("Package:0", *A100, ["0000:07:00.0", "0000:0b:00.0"]) + gpus("Package:1", *A100, ["0000:88:00.0"]),
        {},
    ),
    # No memory is plugged in beside the second package; see `without_memory`.
    "package-without-memory": ("pack:2 [numa] core:3 pu:1", [], {}),
    # Virtual machines and mainframes know no cores.
    "pus-alone": ("pack:2 [numa] pu:4", [], {}),
    # A site has turned off the second hardware thread of each core.
    "forbidden-threads": ("pack:1 [numa] core:4 " + hardware_threads(4), [], {"allowed_cpuset": "0x0000000f"}),
    # The job has no core of the NUMA node that the GPU hangs on, but one of its package.
    "gpu-beside-forbidden-cores": (
        "pack:2 group:2 [numa] core:2 pu:1",
        gpus("Group:2", *A100, ["0000:88:00.0"]),
        {"allowed_cpuset": "0x000000cc"},
    ),
    # Class 12: GPUs, of which one is cut in partitions, and an FPGA.
    "class-12": (
        "pack:2 [numa] core:4 pu:1",
        gpus("Package:0", *MI300X, ["0000:05:00.0"], "1200", ["rsmi0", "renderD128", "opencl0d0"])
        + gpus("Package:1", *MI300X, ["0000:85:00.0"], "1200", ["rsmi1", "rsmi2", "rsmi3", "rsmi4"])
        + gpus("Package:0", INTEL, "09c4", "PAC with Intel Arria 10 GX FPGA", ["0000:07:00.0"], "1200"),
        {},
    ),
    # Four cores made for speed, four that save power; see `with_kinds_of_cores`.
    "kinds-of-cores": ("pack:1 [numa] core:8 pu:1", [], {}),
    # Of the GPUs of each package one has a network interface on its bridge; see `with_nics`.
    "gpus-beside-nics": (
        "pack:2 [numa] core:4 pu:1",
        gpus("Package:0", *A100, ["0000:07:00.0", "0000:0b:00.0"])
        + gpus("Package:1", *A100, ["0000:88:00.0", "0000:8b:00.0"]),
        {},
    ),
    # A cloud's virtual machine: the console is a VGA of its own make.
    "console-vga": (
        "pack:1 [numa] core:4 pu:1",
        gpus("Package:0", AMAZON, "1111", "", ["0000:00:03.0"], "0300") + gpus("Package:0", *T4, ["0000:00:1e.0"]),
        {},
    ),
}


def without_memory(machine):
    """Takes the NUMA node of the second package away, as hwloc shows a package without memory."""
    package = [it for it in machine.iter("object") if it.get("type") == "Package"][1]
    memory = next(it for it in package if it.get("type") == "NUMANode")
    package.remove(memory)
    for part in package.iter("object"):
        part.set("nodeset", "0x0")
    machine.set("nodeset", "0x00000001")
    machine.set("allowed_nodeset", "0x00000001")


EDITS = {"package-without-memory": without_memory}


def with_kinds_of_cores(tree):
    """Names kinds of cores as hwloc does from 2.4 on: two of the fast cores have a higher clock, and are of no other kind for that."""
    for cpuset, core_type, clock in [("0xf0", "IntelAtom", "3700"), ("0x0c", "IntelCore", "4900"), ("0x03", "IntelCore", "5000")]:
        kind = ET.SubElement(tree, "cpukind", cpuset=f"{int(cpuset, 16):#010x}")
        ET.SubElement(kind, "info", name="CoreType", value=core_type)
        ET.SubElement(kind, "info", name="FrequencyMaxMHz", value=clock)


def with_nics(tree):
    """Puts a network interface on the bridge of one GPU of each package, and another one on a bridge of its own."""
    bridges = {it.get("bridge_pci"): it for it in tree.iter("object") if it.get("type") == "Bridge"}
    alone = ET.SubElement(
        next(it for it in tree.iter("object") if it.get("type") == "Package"),
        "object",
        type="Bridge",
        gp_index="3000",
        bridge_type="0-1",
        depth="0",
        bridge_pci="0000:[20-20]",
    )
    for serial, (bridge, bus, names) in enumerate(
        [
            (bridges["0000:[0b-0b]"], "0000:0b:01.0", [("ib0", "2"), ("mlx5_0", "3")]),
            (bridges["0000:[8b-8b]"], "0000:8b:01.0", [("ib1", "2"), ("mlx5_1", "3")]),
            (alone, "0000:20:00.0", [("eth0", "2")]),
        ]
    ):
        function = ET.SubElement(
            bridge,
            "object",
            type="PCIDev",
            gp_index=str(3100 + serial),
            pci_busid=bus,
            pci_type="0207 [15b3:101b] [15b3:0000] 00",
            pci_link_speed="31.507692",
        )
        for index, (name, kind) in enumerate(names):
            ET.SubElement(function, "object", type="OSDev", gp_index=str(3200 + 10 * serial + index), name=name, osdev_type=kind)


EDITS_WITH_DEVICES = {"kinds-of-cores": with_kinds_of_cores, "gpus-beside-nics": with_nics}


def insert(tree, serial, parent, bus_id, kind, vendor, device, name, os_devices):
    """Puts a host bridge and below it one PCI function under the object `parent`, as `Type:logical index`."""
    wanted, index = parent.split(":")
    objects = [it for it in tree.iter("object") if it.get("type") == wanted]
    domain, bus, _ = bus_id.split(":")
    bridge = ET.SubElement(
        objects[int(index)],
        "object",
        type="Bridge",
        gp_index=str(serial),
        bridge_type="0-1",
        depth="0",
        bridge_pci=f"{domain}:[{bus}-{bus}]",
    )
    function = ET.SubElement(
        bridge,
        "object",
        type="PCIDev",
        gp_index=str(serial + 1),
        pci_busid=bus_id,
        pci_type=f"{kind} [{vendor[0]}:{device}] [{vendor[0]}:0000] a1",
        pci_link_speed="31.507692",
    )
    ET.SubElement(function, "info", name="PCIVendor", value=vendor[1])
    ET.SubElement(function, "info", name="PCIDevice", value=name)
    for index, it in enumerate(os_devices):
        ET.SubElement(function, "object", type="OSDev", gp_index=str(10 * serial + index), name=it, osdev_type="5")


def main():
    for host, (synthetic, devices, changes) in MACHINES.items():
        text = subprocess.run(
            ["lstopo-no-graphics", "-i", synthetic, "--of", "xml"], check=True, capture_output=True, text=True
        ).stdout
        tree = ET.fromstring(text)
        machine = tree.find("object")
        machine.attrib.update(changes)
        for info in machine.findall("info"):
            machine.remove(info)
        machine.insert(0, ET.Element("info", name="HostName", value=host))
        EDITS.get(host, lambda machine: None)(machine)
        for serial, device in enumerate(devices):
            insert(tree, 1000 + 2 * serial, *device)
        EDITS_WITH_DEVICES.get(host, lambda tree: None)(tree)
        ET.indent(tree)
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE topology SYSTEM "hwloc2.dtd">\n'
        with open(f"{host}.xml", "w", encoding="utf-8") as file:
            file.write(head + ET.tostring(tree, encoding="unicode") + "\n")


if __name__ == "__main__":
    main()
