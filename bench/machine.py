"""What a results file says about where and with what it was made."""

import importlib.metadata
import os
import platform
import subprocess
import time


def first_line(*command):
    """Of what the command prints; "unknown" without one."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def cpu_model():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def torch_version():
    try:
        import torch
    except ImportError:
        return "not installed"
    return torch.__version__


def package_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def header(command):
    """Lines for the head of a results file."""
    compiler = first_line(os.environ.get("CC", "cc"), "--version")
    version = first_line("build/netrun", "--version")
    commit = first_line("git", "describe", "--always", "--dirty")
    return [
        f"date      {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC",
        f"command   {command}",
        f"machine   {cpu_model()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the start",
        f"system    {platform.system()} {platform.release()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
        f"netrun    {version}, {commit}",
        f"compiler  {compiler}",
        f"PyTorch   {torch_version()}, Python {platform.python_version()}",
    ]


def results_path(kind, folder="bench/results"):
    """A new file: an old result is never overwritten."""
    os.makedirs(folder, exist_ok=True)
    stem = f"{folder}/{time.strftime('%Y-%m-%d', time.gmtime())}-{kind}"
    path, count = stem + ".tsv", 1
    while os.path.exists(path):
        count += 1
        path = f"{stem}-{count}.tsv"
    return path
