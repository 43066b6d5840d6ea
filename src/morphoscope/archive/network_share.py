"""Whether a file lies on a network share, where SQLite's write-ahead log must not be used.

The log's index is memory that all processes of one machine share (https://www.sqlite.org/wal.html): two machines that open
the same file over a network would each see their own and damage it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_NETWORK_FILE_SYSTEMS = {
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "afs", "ncpfs", "webdav", "davfs", "fuse.davfs2"),
    *("fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "ceph", "fuse.ceph", "lustre", "beegfs", "gpfs", "gfs2", "ocfs2"),
}


def network_share(path: Path) -> str:
    """The share that holds a path, as `nfs4 at /mnt/lab`; empty for a local disk."""
    place = path.absolute()
    if sys.platform == "win32" and str(place).startswith("\\\\"):
        return f"network folder {place.anchor}"
    holding = [part for part in psutil.disk_partitions(all=True) if place.is_relative_to(part.mountpoint)]
    if not holding:
        return ""
    nearest = max(holding, key=lambda part: len(part.mountpoint))
    is_remote = nearest.fstype.lower() in _NETWORK_FILE_SYSTEMS or "remote" in nearest.opts.split(",")
    return f"{nearest.fstype or 'network drive'} at {nearest.mountpoint}" if is_remote else ""
