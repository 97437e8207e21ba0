package io.hammer2.fs.fsck;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.fsck.FsckResult.HeaderCopy;
import io.hammer2.fs.fsck.FsckResult.VolumeReport;
import io.hammer2.fs.fsck.Reporter.Unusable;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Every copy of the header of every volume, the choice among them, and whether they describe a possible file system (format
 * sections 2 and 3).
 */
final class HeaderCheck {
    private static final int NON_ROOT_SROOT_TYPE = 7;

    private final Reporter reporter;
    private final TreeMap<Integer, Candidate> candidates = new TreeMap<>();
    private final List<VolumeReport> reports = new ArrayList<>();
    private final List<VolumeHeader> olderHeaders = new ArrayList<>();

    private record Candidate(BlockDevice device, VolumeHeader header, int copy, List<HeaderCopy> copies) {}

    /** Where a volume lies in the file system. */
    record Extent(BlockDevice device, long baseBytes, long sizeBytes) {}

    HeaderCheck(Reporter reporter) {
        this.reporter = reporter;
    }

    /** Reports on the volumes whose headers were found, in the order of their ids; complete after {@link #open}. */
    List<VolumeReport> reports() {
        return reports;
    }

    /** Headers of the root volume that are valid and were not chosen, newest first: what a mount would fall back to. */
    List<VolumeHeader> olderHeaders() {
        return olderHeaders;
    }

    /** The header that was chosen; after {@link #open}. */
    VolumeHeader header() {
        return candidates.get(0).header;
    }

    /**
     * Reads and verifies the headers.
     *
     * @return the volumes in the order of their ids
     * @throws Unusable when there is no header to go by
     */
    List<Extent> open(List<BlockDevice> devices) {
        for (BlockDevice device : devices) {
            choose(device);
        }
        if (!candidates.containsKey(0)) {
            throw new Unusable("the root volume (id 0) was not given");
        }
        requireSameFileSystem();
        candidates.forEach(this::reportCopies);
        VolumeHeader root = header();
        if (root.version() < 1 || root.version() > 2) {
            throw new Unusable("volume version " + Integer.toUnsignedString(root.version()) + " is not supported");
        }
        List<Extent> extents = root.version() == 1 ? versionOne(root) : versionTwo(root);
        if (extents.getLast().sizeBytes % Limits.VOLUME_ALIGNMENT_BYTES != 0) {
            geometry("the size of the last volume, " + extents.getLast().sizeBytes
                    + " bytes, is not a multiple of 8 MiB");
        }
        areas(root);
        return extents;
    }

    private void choose(BlockDevice device) {
        List<HeaderCopy> copies = new ArrayList<>();
        TreeMap<Integer, VolumeHeader> valid = new TreeMap<>();
        VolumeHeader best = null;
        int bestCopy = -1;
        VolumeHeader first = null;
        for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
            long offset = VolumeHeader.copyOffset(copy);
            if (offset + Limits.VOLUME_HEADER_BYTES > device.sizeBytes()) {
                break;
            }
            VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
            String defect;
            try {
                device.readFully(offset, header.bytes());
                defect = header.defect();
                first = copy == 0 ? header : first;
            } catch (IOException e) {
                defect = "cannot be read (" + e.getMessage() + ")";
            }
            copies.add(new HeaderCopy(copy, defect == null, defect, defect == null ? header.mirrorTid() : 0));
            if (defect == null) {
                valid.put(copy, header);
                if (best == null || Long.compareUnsigned(header.mirrorTid(), best.mirrorTid()) > 0) {
                    best = header;
                    bestCopy = copy;
                }
            }
        }
        if (copies.isEmpty()) {
            throw new Unusable(device.name() + ": smaller than one volume header");
        }
        if (best == null) {
            best = SpareHeader.find(device, first);
            bestCopy = 0;
        }
        if (best == null) {
            throw new Unusable(device.name() + ": no valid volume header ("
                    + copies.stream()
                            .map(c -> "copy " + c.copy() + ": " + c.defect())
                            .collect(Collectors.joining("; "))
                    + ")");
        }
        Candidate other = candidates.putIfAbsent(best.voluId(), new Candidate(device, best, bestCopy, copies));
        if (other != null) {
            throw new Unusable(device.name() + ": has volume id " + best.voluId() + ", as " + other.device.name());
        }
        if (best.voluId() == 0) {
            valid.remove(bestCopy);
            valid.values().stream()
                    .sorted((a, b) -> Long.compareUnsigned(b.mirrorTid(), a.mirrorTid()))
                    .forEach(olderHeaders::add);
        }
    }

    private void requireSameFileSystem() {
        VolumeHeader root = header();
        for (Candidate volume : candidates.values()) {
            VolumeHeader header = volume.header;
            if (header.version() != root.version()
                    || header.nvolumes() != root.nvolumes()
                    || !header.fsid().equals(root.fsid())
                    || !header.fstype().equals(root.fstype())) {
                throw new Unusable(volume.device.name()
                        + ": belongs to another file system: version, number of volumes, fsid or fstype differ");
            }
        }
    }

    private void reportCopies(int id, Candidate volume) {
        long size = volume.header.voluSize();
        for (HeaderCopy copy : volume.copies) {
            boolean blank = copy.defect() != null && copy.defect().equals("all zero");
            boolean inside =
                    copy.copy() == 0 || VolumeHeader.copyOffset(copy.copy()) + Limits.RESERVED_SEGMENT_BYTES <= size;
            if (!copy.valid() && !blank && inside) {
                reporter.problem(
                        ProblemCode.VOLHDR, "volume " + id + " header copy " + copy.copy() + ": " + copy.defect());
            }
        }
        if (size < 0) {
            throw new Unusable("volume " + id + ": a size of " + Long.toUnsignedString(size) + " bytes is impossible");
        }
        if (size > volume.device.sizeBytes()) {
            geometry("volume " + id + ": a size of " + size + " bytes in the header, but the device has "
                    + volume.device.sizeBytes());
        }
        reports.add(new VolumeReport(id, volume.device.name(), size, volume.copies, volume.copy));
    }

    private List<Extent> versionOne(VolumeHeader root) {
        if (candidates.size() != 1) {
            throw new Unusable("version 1 file system with " + candidates.size() + " volumes");
        }
        boolean set = root.nvolumes() != 0 || root.totalSize() != 0;
        for (int id = 0; id < Limits.VOLUMES_MAX; id++) {
            set |= root.voluLoff(id) != 0;
        }
        if (set) {
            geometry("version 1 header with nvolumes, total_size or volu_loff set: DragonFly refuses to mount it");
        }
        return List.of(new Extent(candidates.get(0).device, 0, root.voluSize()));
    }

    private List<Extent> versionTwo(VolumeHeader root) {
        int count = root.nvolumes();
        if (candidates.size() != count || candidates.lastKey() != count - 1) {
            throw new Unusable("the header asks for volumes 0 to " + (count - 1) + ", given: " + candidates.keySet());
        }
        List<Extent> extents = new ArrayList<>();
        long at = 0;
        for (int id = 0; id < count; id++) {
            Candidate volume = candidates.get(id);
            long size = volume.header.voluSize();
            if (root.voluLoff(id) != at) {
                geometry("volu_loff[" + id + "] is " + Key.text(root.voluLoff(id)) + ", expected " + Key.text(at));
            }
            if (id != count - 1 && (size < Limits.GIB || size % Limits.GIB != 0)) {
                geometry("volume " + id + ": a size of " + size + " bytes is not a multiple of 1 GiB");
            }
            if (id != 0) {
                nonRootBlockSet(id, volume.header);
            }
            extents.add(new Extent(volume.device, at, size));
            at += size;
            if (at < 0) {
                throw new Unusable("the volumes add up to more than 2^63 - 1 bytes");
            }
        }
        if (at != root.totalSize()) {
            geometry("total_size is " + Long.toUnsignedString(root.totalSize()) + ", but the volumes add up to " + at);
        }
        for (int id = count; id < Limits.VOLUMES_MAX; id++) {
            if (root.voluLoff(id) != -1L) {
                geometry("volu_loff[" + id + "] of an unused slot is " + Key.text(root.voluLoff(id)));
                break;
            }
        }
        return extents;
    }

    private void nonRootBlockSet(int id, VolumeHeader header) {
        var table = header.superRootBlockSet();
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (!table.isEmpty(slot) && table.typeCode(slot) != NON_ROOT_SROOT_TYPE) {
                geometry("volume " + id + ": the super-root block set holds type " + table.typeCode(slot));
            }
        }
    }

    private void areas(VolumeHeader header) {
        if (!header.fstype().equals(MediaUuid.FSTYPE_HAMMER2)) {
            geometry("the fstype UUID is " + header.fstype());
        }
        long total = header.fileSystemBytes();
        long[] ascending = {
            Limits.RESERVED_SEGMENT_BYTES,
            header.bootBeg(),
            header.bootEnd(),
            header.auxBeg(),
            header.auxEnd(),
            header.allocatorBeg(),
            total
        };
        boolean fits = Key.less(header.allocatorBeg(), Limits.GIB);
        for (int i = 1; i < ascending.length; i++) {
            fits &= Key.lessOrEqual(ascending[i - 1], ascending[i]);
        }
        long ends = header.bootBeg() | header.bootEnd() | header.auxBeg() | header.auxEnd();
        if (!fits || ends % Limits.RESERVED_SEGMENT_BYTES != 0) {
            geometry(String.format(
                    "boot area %x-%x, aux area %x-%x and allocator_beg %x are inconsistent",
                    header.bootBeg(), header.bootEnd(), header.auxBeg(), header.auxEnd(), header.allocatorBeg()));
        }
        if (Key.less(header.allocatorSize(), header.allocatorFree())) {
            geometry("allocator_free " + Long.toUnsignedString(header.allocatorFree()) + " exceeds allocator_size "
                    + Long.toUnsignedString(header.allocatorSize()));
        }
        // growfs of the reference does not subtract the reserves that it adds (section 20, 2).
        long reserves = Math.ceilDiv(total, Limits.GIB) * Limits.RESERVED_SEGMENT_BYTES;
        long expected = total - reserves - (header.bootEnd() - header.bootBeg()) - (header.auxEnd() - header.auxBeg());
        if (header.allocatorSize() != expected) {
            reporter.note(
                    "allocator_size",
                    "allocator_size is " + Long.toUnsignedString(header.allocatorSize()) + ", newfs would have written "
                            + expected + " (growfs leaves this)",
                    null);
        }
        if (Key.less(header.mirrorTid(), header.freemapTid())) {
            reporter.note(
                    "freemap_tid",
                    "freemap_tid " + Long.toUnsignedString(header.freemapTid()) + " is above mirror_tid "
                            + Long.toUnsignedString(header.mirrorTid()),
                    null);
        }
    }

    private void geometry(String text) {
        reporter.problem(ProblemCode.GEOMETRY, text);
    }
}
