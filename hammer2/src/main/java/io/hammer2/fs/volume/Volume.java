package io.hammer2.fs.volume;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.VolumeSet;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The devices of one file system, joined, and the header that it is mounted by.
 *
 * <p>Before anything is computed from a header, its geometry is checked against sections 2.4 and 2.5 and against the devices.
 */
public final class Volume {
    private static final int VERSION_MIN = 1;
    private static final int VERSION_MAX = 2;
    private static final long UNUSED_LOFF = -1L;

    private final HeaderChoice root;
    private final VolumeSet devices;
    private final List<String> warnings;

    private Volume(HeaderChoice root, VolumeSet devices, List<String> warnings) {
        this.root = root;
        this.devices = devices;
        this.warnings = List.copyOf(warnings);
    }

    /** A device with the header chosen among its copies. */
    private record Candidate(BlockDevice device, HeaderChoice choice) {
        VolumeHeader header() {
            return choice.header();
        }

        String name() {
            return device.name();
        }
    }

    /**
     * Joins {@code devices}, in any order, into the file system that they are the volumes of. On success they belong to the
     * result, and else to the caller.
     */
    public static Volume open(List<BlockDevice> devices) throws VolumeException {
        if (devices.isEmpty()) {
            throw new VolumeException("no device given");
        }
        List<Candidate> candidates = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        for (BlockDevice device : devices) {
            Candidate candidate = new Candidate(device, HeaderChoice.of(device));
            checkAlone(candidate);
            candidates.add(candidate);
            warnings.addAll(candidate.choice().warnings());
        }
        Candidate first = candidates.getFirst();
        for (Candidate candidate : candidates) {
            checkSame(first, candidate);
        }
        Candidate root = rootOf(candidates);
        List<Candidate> byId = root.header().version() == 1 ? List.of(root) : inOrder(root, candidates);
        checkSuperRoot(root);
        return new Volume(root.choice(), join(byId), warnings);
    }

    public VolumeHeader header() {
        return root.header();
    }

    /** Which copy of the root volume's header was chosen, 0..3. */
    public int headerCopy() {
        return root.copy();
    }

    /** How that header was chosen. */
    public HeaderChoice headerChoice() {
        return root;
    }

    /** The volumes as one device, by logical offset. */
    public VolumeSet devices() {
        return devices;
    }

    /** Size of the file system in bytes. */
    public long sizeBytes() {
        return header().fileSystemBytes();
    }

    /** What an administrator should know, one line each. */
    public List<String> warnings() {
        return warnings;
    }

    /** The validated reference to the super-root inode. */
    public BlockRef superRoot() {
        return header().superRootBlockSet().ref(0);
    }

    public void close() throws IOException {
        devices.close();
    }

    private static void checkAlone(Candidate candidate) throws VolumeException {
        VolumeHeader header = candidate.header();
        require(
                header.fstype().equals(MediaUuid.FSTYPE_HAMMER2),
                candidate,
                "fstype is " + header.fstype() + ", not that of HAMMER2");
        require(
                header.version() >= VERSION_MIN && header.version() <= VERSION_MAX,
                candidate,
                "volume version " + header.version() + " is not supported (1 and 2 are)");
        long size = header.voluSize();
        require(
                size > 0 && size % Limits.VOLUME_ALIGNMENT_BYTES == 0,
                candidate,
                "the header gives a size of " + size + " bytes, which is not a multiple of 8 MiB");
        require(
                size <= candidate.device().sizeBytes(),
                candidate,
                "the volume has " + size + " bytes, but the device or file only "
                        + candidate.device().sizeBytes() + ": it was cut short, or part of it is missing");
        if (header.version() == 1) {
            require(
                    header.totalSize() == 0 && header.nvolumes() == 0 && header.voluId() == 0,
                    candidate,
                    "a version 1 volume must not have the fields of version 2");
        } else {
            require(
                    header.nvolumes() >= 1 && header.nvolumes() <= Limits.VOLUMES_MAX,
                    candidate,
                    "the header speaks of " + header.nvolumes() + " volumes; 1 to 64 are possible");
            require(
                    header.voluId() < header.nvolumes(),
                    candidate,
                    "volume id " + header.voluId() + " of " + header.nvolumes() + " volumes");
        }
    }

    private static void checkSame(Candidate first, Candidate other) throws VolumeException {
        require(
                other.choice().fsid().equals(first.choice().fsid()),
                other,
                "belongs to another file system than " + first.name() + " (fsid "
                        + other.choice().fsid() + ", not " + first.choice().fsid() + ")");
        require(
                other.header().version() == first.header().version(),
                other,
                "has volume version " + other.header().version() + ", " + first.name() + " has "
                        + first.header().version());
        require(
                other.header().nvolumes() == first.header().nvolumes(),
                other,
                "speaks of " + other.header().nvolumes() + " volumes, " + first.name() + " of "
                        + first.header().nvolumes());
    }

    private static Candidate rootOf(List<Candidate> candidates) throws VolumeException {
        int expected = Math.max(1, candidates.getFirst().header().nvolumes());
        if (candidates.size() != expected) {
            throw new VolumeException(names(candidates) + ": the file system has " + expected + " volumes, "
                    + candidates.size() + " given; name all of them, joined by ':'");
        }
        for (Candidate candidate : candidates) {
            if (candidate.header().voluId() == 0) {
                return candidate;
            }
        }
        throw new VolumeException(names(candidates) + ": the root volume (id 0) is missing");
    }

    private static List<Candidate> inOrder(Candidate root, List<Candidate> candidates) throws VolumeException {
        Candidate[] byId = new Candidate[candidates.size()];
        for (Candidate candidate : candidates) {
            int id = candidate.header().voluId();
            require(
                    byId[id] == null,
                    candidate,
                    "is volume " + id + ", as " + (byId[id] == null ? "" : byId[id].name()) + " is");
            byId[id] = candidate;
        }
        long offset = 0;
        for (int id = 0; id < byId.length; id++) {
            Candidate candidate = byId[id];
            require(
                    root.header().voluLoff(id) == offset,
                    candidate,
                    "begins at " + offset + " by the sizes of the volumes before it, but at "
                            + root.header().voluLoff(id) + " by the root volume's header");
            long size = candidate.header().voluSize();
            require(
                    id == byId.length - 1 || size % Limits.GIB == 0,
                    candidate,
                    "has " + size + " bytes; all volumes but the last must be multiples of 1 GiB");
            require(size <= Long.MAX_VALUE - offset, candidate, "the sizes of the volumes overflow");
            offset += size;
        }
        for (int id = byId.length; id < Limits.VOLUMES_MAX; id++) {
            require(
                    root.header().voluLoff(id) == UNUSED_LOFF,
                    root,
                    "logical offset of unused volume " + id + " is set");
        }
        require(
                root.header().totalSize() == offset,
                root,
                "the header gives a total size of " + root.header().totalSize() + " bytes, the volumes have " + offset);
        return List.of(byId);
    }

    private static void checkSuperRoot(Candidate root) throws VolumeException {
        VolumeHeader header = root.header();
        try {
            BlockTable table = header.superRootBlockSet();
            BlockRef superRoot = table.ref(0).validate(header.fileSystemBytes());
            if (superRoot.type() != BlockType.INODE) {
                throw new CorruptBlockException(
                        superRoot, "super-root", "INODE", superRoot.type().toString());
            }
        } catch (CorruptBlockException e) {
            throw new VolumeException(root.name() + ": damaged reference to the super-root: " + e.getMessage(), e);
        }
    }

    private static VolumeSet join(List<Candidate> byId) throws VolumeException {
        List<VolumeSet.Member> members = new ArrayList<>();
        long offset = 0;
        for (Candidate candidate : byId) {
            long size = candidate.header().voluSize();
            members.add(new VolumeSet.Member(candidate.device(), offset, size));
            offset += size;
        }
        try {
            return VolumeSet.of(members);
        } catch (IOException e) {
            throw new VolumeException(names(byId) + ": " + e.getMessage(), e);
        }
    }

    private static void require(boolean condition, Candidate candidate, String otherwise) throws VolumeException {
        if (!condition) {
            throw new VolumeException(candidate.name() + ": " + otherwise);
        }
    }

    private static String names(List<Candidate> candidates) {
        return String.join(":", candidates.stream().map(Candidate::name).toList());
    }
}
