"""Archives that are checked by digest: zip files with a manifest, written and read in a stream.

Members are kept as they are, in the order in which they are added, all with one time stamp: the
same content gives the same bytes. Nothing is compressed, because what a compressor writes depends
on its version, and because a member then cannot be larger than its archive: nothing unpacks to
more than what the reader has on disk already. The last member, ``manifest.json``, states the
format and the size and SHA-256 of every other one.
"""

from attnstudy.archives.reading import READ_WHOLE, Archive, open_archive
from attnstudy.archives.writing import ArchiveWriter, write_archive

__all__ = ["READ_WHOLE", "Archive", "ArchiveWriter", "open_archive", "write_archive"]
