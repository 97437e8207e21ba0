package io.hammer2.fs.newfs;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * Makes an empty file system on devices: volume headers, super-root, the PFS LOCAL and those asked for. No freemap block
 * exists on a fresh volume.
 *
 * <p>Headers come last, behind a flush: until then the devices hold no file system, and never half of one.
 */
public final class Newfs {
    /** Transaction of everything that is written here. */
    private static final long FIRST_TID = 16;

    /** State of a PFS's inode number allocator before its first mount. */
    private static final long PFS_INUM = 16;

    private static final int PEER_TYPE = 3;
    private static final int COPYID = 255;
    private static final String SUPER_ROOT_NAME = "SUPROOT";
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int DIRECT_IO_ALIGNMENT = 4096;

    private final List<BlockDevice> devices;
    private final Geometry geometry;
    private final NewfsOptions options;
    private final UUID fsid;

    private Newfs(List<BlockDevice> devices, Geometry geometry, NewfsOptions options) {
        this.devices = devices;
        this.geometry = geometry;
        this.options = options;
        this.fsid = options.uuids().get();
    }

    /**
     * What was made.
     *
     * @param labels all PFSs, LOCAL first
     */
    public record Made(Geometry geometry, UUID fsid, List<String> labels) {}

    /** Where everything would go. */
    public static Geometry plan(List<Long> deviceBytes, NewfsOptions options) throws NewfsException {
        allLabels(options);
        return Geometry.of(deviceBytes, options);
    }

    /**
     * Formats {@code devices}, which stay the caller's; the first becomes the root volume. What was on them is lost.
     *
     * @throws NewfsException when they or the options make no file system; nothing was written then
     * @throws IOException when a device fails: it then holds no file system
     */
    public static Made format(List<BlockDevice> devices, NewfsOptions options) throws IOException, NewfsException {
        List<String> labels = allLabels(options);
        Geometry geometry =
                Geometry.of(devices.stream().map(BlockDevice::sizeBytes).toList(), options);
        Newfs newfs = new Newfs(List.copyOf(devices), geometry, options);
        newfs.write(labels);
        return new Made(geometry, newfs.fsid, labels);
    }

    private static List<String> allLabels(NewfsOptions options) throws NewfsException {
        List<String> labels = new ArrayList<>();
        labels.add(NewfsOptions.LOCAL);
        for (String label : options.labels()) {
            int length = label.getBytes(StandardCharsets.UTF_8).length;
            if (length < 1 || length > Limits.NAME_BYTES_MAX || label.indexOf('/') >= 0 || label.indexOf('\0') >= 0) {
                throw new NewfsException("'" + label + "' cannot be a label: a label has 1 to 255 bytes and no '/'");
            }
            if (!labels.contains(label)) {
                labels.add(label);
            }
        }
        if (labels.size() > Limits.BLOCK_SET_COUNT) {
            throw new NewfsException(labels.size() - 1 + " labels besides LOCAL; " + (Limits.BLOCK_SET_COUNT - 1)
                    + " can be made here, more with hammer2 pfs-create");
        }
        return labels;
    }

    private void write(List<String> labels) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(BUFFER_BYTES, DIRECT_IO_ALIGNMENT);
            for (int id = 0; id < devices.size(); id++) {
                clear(id, buffer);
            }
            MemorySegment inodes = arena.allocate(Limits.BLOCK_BYTES_MAX, DIRECT_IO_ALIGNMENT);
            BlockRef superRoot = makeInodes(inodes, labels);
            devices.getFirst().writeFully(geometry.base(), inodes);
            for (BlockDevice device : devices) {
                device.flushFully();
            }
            MemorySegment header = arena.allocate(Limits.VOLUME_HEADER_BYTES, DIRECT_IO_ALIGNMENT);
            for (int id = 0; id < devices.size(); id++) {
                fill(new VolumeHeader(header), id, superRoot, labels.size());
                for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
                    if (VolumeHeader.copyOffset(copy) < geometry.volumeBytes().get(id)) {
                        devices.get(id).writeFully(VolumeHeader.copyOffset(copy), header);
                    }
                }
            }
            for (BlockDevice device : devices) {
                device.flushFully();
            }
        }
    }

    /** Makes zero what a header, an area or an old file system's header could be taken for; and tries the device's end. */
    private void clear(int id, MemorySegment buffer) throws IOException {
        BlockDevice device = devices.get(id);
        zero(device, 0, id == 0 ? geometry.base() : Limits.RESERVED_SEGMENT_BYTES, buffer);
        for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
            // Also behind the volume's end: a device that was cut down keeps copies of what it once was.
            long offset = VolumeHeader.copyOffset(copy);
            if (offset + Limits.VOLUME_HEADER_BYTES <= device.sizeBytes()) {
                zero(device, offset, Limits.VOLUME_HEADER_BYTES, buffer);
            }
        }
        MemorySegment block = buffer.asSlice(0, Limits.BLOCK_BYTES_MAX).fill((byte) 0);
        device.writeFully(geometry.volumeBytes().get(id) - Limits.BLOCK_BYTES_MAX, block);
    }

    /** Discards, and writes only what did not become zero by that: an image file stays sparse. */
    private static void zero(BlockDevice device, long from, long byteCount, MemorySegment buffer) throws IOException {
        device.discardFully(from, byteCount);
        for (long at = from; at < from + byteCount; at += BUFFER_BYTES) {
            MemorySegment piece = buffer.asSlice(0, Math.min(BUFFER_BYTES, from + byteCount - at));
            device.readFully(at, piece);
            if (!isZero(piece)) {
                device.writeFully(at, piece.fill((byte) 0));
            }
        }
    }

    private static boolean isZero(MemorySegment bytes) {
        // A buffer is zero if its first byte is and each equals its successor.
        long size = bytes.byteSize();
        return bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) == 0
                && MemorySegment.mismatch(bytes, 0, size - 1, bytes, 1, size) < 0;
    }

    /** @return the reference to the super-root, which lies first in {@code block} */
    private BlockRef makeInodes(MemorySegment block, List<String> labels) {
        MemorySegment superRootBytes = block.asSlice(0, Limits.INODE_BYTES);
        InodeBlock superRoot = makeSuperRoot(superRootBytes);
        List<BlockRef> roots = new ArrayList<>();
        for (int i = 0; i < labels.size(); i++) {
            long at = (long) Limits.INODE_BYTES * (i + 1);
            byte[] name = labels.get(i).getBytes(StandardCharsets.UTF_8);
            long key = freeKey(DirectoryHash.of(MemorySegment.ofArray(name)), roots);
            MemorySegment bytes = block.asSlice(at, Limits.INODE_BYTES);
            makePfsRoot(bytes, name, key);
            roots.add(reference(bytes, geometry.base() + at, key, Compression.NONE, BlockRef.FLAG_PFSROOT));
        }
        roots.sort(Comparator.comparing(BlockRef::key, Long::compareUnsigned));
        BlockTable table = superRoot.blockSet();
        for (int slot = 0; slot < roots.size(); slot++) {
            table.set(slot, roots.get(slot));
        }
        return reference(superRootBytes, geometry.base(), 0, Compression.AUTOZERO, 0);
    }

    private InodeBlock makeSuperRoot(MemorySegment bytes) {
        InodeBlock inode = makeDirectory(bytes);
        inode.setMode(0700);
        inode.setNlinks(2);
        inode.setName(SUPER_ROOT_NAME.getBytes(StandardCharsets.US_ASCII), 0);
        inode.setAlgorithms(Compression.AUTOZERO.code(), CheckCode.XXHASH64.code());
        inode.setPfs(
                PfsType.SUPER_ROOT, 0, options.uuids().get(), options.uuids().get());
        return inode;
    }

    private void makePfsRoot(MemorySegment bytes, byte[] name, long key) {
        InodeBlock inode = makeDirectory(bytes);
        inode.setOpFlags(InodeBlock.OP_PFSROOT);
        inode.setMode(0755);
        inode.setOwner(options.rootUid(), options.rootGid());
        inode.setInum(InodeBlock.ROOT_INUM);
        inode.setNlinks(1);
        inode.setName(name, key);
        // A boot loader reads it, and decompresses nothing.
        boolean boot = new String(name, StandardCharsets.UTF_8).equalsIgnoreCase("BOOT");
        inode.setAlgorithms((boot ? Compression.AUTOZERO : Compression.LZ4).code(), CheckCode.XXHASH64.code());
        inode.setPfs(
                PfsType.MASTER, PFS_INUM, options.uuids().get(), options.uuids().get());
    }

    private InodeBlock makeDirectory(MemorySegment bytes) {
        InodeBlock inode = new InodeBlock(bytes);
        long now = options.nowMicros();
        inode.setVersion(InodeBlock.VERSION);
        inode.setTimes(now, now, now, now);
        inode.setType(FileType.DIRECTORY);
        return inode;
    }

    /** The first key of the bucket that none of {@code taken} has. */
    private static long freeKey(long hash, List<BlockRef> taken) {
        long key = hash;
        for (int i = 0; i < taken.size(); i++) {
            for (BlockRef ref : taken) {
                key += ref.key() == key ? 1 : 0;
            }
        }
        return key;
    }

    private static BlockRef reference(MemorySegment inode, long offset, long key, Compression compression, int flags) {
        BlockRef.Builder ref = BlockRef.builder(BlockType.INODE)
                .methods(CheckCode.XXHASH64.code(), compression.code())
                .copyid(COPYID)
                .vradix(Limits.RADIX_MIN)
                .flags(flags)
                .key(key, 0)
                .tids(FIRST_TID, 0)
                .dataOff(offset | Limits.RADIX_MIN);
        CheckCode.XXHASH64.store(inode, ref.check());
        return ref.build();
    }

    private void fill(VolumeHeader header, int id, BlockRef superRoot, int pfsCount) {
        header.clear();
        header.setVoluSize(geometry.volumeBytes().get(id));
        header.setVersion(geometry.version());
        header.setPeerType(PEER_TYPE);
        header.setFsid(fsid);
        header.setFstype(MediaUuid.FSTYPE_HAMMER2);
        header.setTids(FIRST_TID, FIRST_TID);
        if (geometry.version() == 2) {
            fillVolumes(header, id);
        }
        if (id == 0) {
            long bootEnd = Limits.RESERVED_SEGMENT_BYTES + geometry.bootBytes();
            header.setAreas(Limits.RESERVED_SEGMENT_BYTES, bootEnd, bootEnd, geometry.base());
            long allocatorBegin = geometry.base() + (long) Limits.INODE_BYTES * (pfsCount + 1);
            header.setAllocator(geometry.allocatorBytes(), geometry.allocatorBytes(), allocatorBegin);
            header.superRootBlockSet().set(0, superRoot);
        } else {
            header.setAllocator(geometry.allocatorBytes(), 0, 0);
            for (int slot = 0; slot < Limits.BLOCK_SET_COUNT; slot++) {
                header.superRootBlockSet()
                        .set(slot, BlockRef.builder(BlockType.INVALID).build());
            }
        }
        header.updateCrcs();
    }

    private void fillVolumes(VolumeHeader header, int id) {
        header.setVolumes(id, geometry.volumeBytes().size(), geometry.totalBytes());
        long offset = 0;
        for (int i = 0; i < Limits.VOLUMES_MAX; i++) {
            boolean exists = i < geometry.volumeBytes().size();
            header.setVoluLoff(i, exists ? offset : -1L);
            offset += exists ? geometry.volumeBytes().get(i) : 0;
        }
    }
}
