package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.InspectedDevice;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.media.Block;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.volume.Volume;
import io.hammer2.fs.volume.VolumeException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A file system that is looked at without mounting it, and without keeping anyone from it. For one thread. */
final class InspectedVolume implements AutoCloseable {
    private final Volume volume;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(Limits.BLOCK_BYTES_MAX, 4096);

    private InspectedVolume(Volume volume) {
        this.volume = volume;
    }

    /** Opens the devices of {@code special}, see {@link BlockDevices#openAll}. */
    static List<BlockDevice> openDevices(String special) {
        try {
            return BlockDevices.openAll(special, OpenMode.INSPECT);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }

    /** As {@link #openDevices}, for who reads a few blocks only, see {@link InspectedDevice}. */
    static List<BlockDevice> glanceAt(String special) {
        try {
            return InspectedDevice.openAll(special);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }

    static InspectedVolume open(String special) {
        List<BlockDevice> devices = glanceAt(special);
        try {
            return new InspectedVolume(Volume.open(devices));
        } catch (VolumeException e) {
            devices.forEach(InspectedVolume::closeQuietly);
            throw new ToolException(e.getMessage(), e);
        }
    }

    Volume volume() {
        return volume;
    }

    VolumeHeader header() {
        return volume.header();
    }

    long sizeBytes() {
        return volume.sizeBytes();
    }

    /**
     * Reads what {@code ref}, which must be validated, refers to.
     *
     * @return its stored bytes, not verified; valid until the next call
     */
    MemorySegment read(BlockRef ref) throws IOException {
        MemorySegment bytes = buffer.asSlice(0, ref.storedBytes());
        volume.devices().readFully(ref.offsetBytes(), bytes);
        return bytes;
    }

    /** @return what is wrong with the check code of {@code stored}, or null */
    static String defect(BlockRef ref, MemorySegment stored) {
        try {
            CheckCode method = CheckCode.of(ref.checkMethod());
            return method.matches(stored, ref.check())
                    ? null
                    : "check code " + method + ": expected " + method.format(ref.check()) + ", found "
                            + method.formatCodeOf(stored);
        } catch (CodecException e) {
            return e.getMessage();
        }
    }

    /**
     * Reads, verifies and copies a block.
     *
     * @throws CorruptBlockException when it is not what {@code ref} says
     */
    Block load(BlockRef ref) throws IOException {
        ref.validate(sizeBytes());
        MemorySegment stored = read(ref);
        String defect = defect(ref, stored);
        if (defect != null) {
            throw new CorruptBlockException(ref, "block", "one that matches its check code", defect);
        }
        return Block.of(ref.type(), MemorySegment.ofArray(stored.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)));
    }

    /** A PFS and the reference to its root. */
    record PfsRoot(BlockRef ref, InodeBlock inode) {}

    /**
     * The PFSs, in the order of their keys.
     *
     * @param damage takes a line for each block that cannot be read; what does not depend on it is listed
     */
    List<PfsRoot> pfsRoots(Consumer<String> damage) {
        List<PfsRoot> roots = new ArrayList<>();
        try {
            BlockRef superRoot = volume.superRoot();
            InodeBlock inode = ((InodeBlock) load(superRoot)).validate();
            collect(inode.blockSet().validate(sizeBytes()), 0, roots, damage);
        } catch (IOException | CorruptBlockException e) {
            damage.accept("super-root: " + e.getMessage());
        }
        return roots;
    }

    private void collect(BlockTable table, int depth, List<PfsRoot> roots, Consumer<String> damage) {
        for (int slot = 0; slot < table.entryCount(); slot++) {
            BlockRef ref = table.ref(slot);
            try {
                if (ref.type() == BlockType.INODE) {
                    roots.add(new PfsRoot(ref, ((InodeBlock) load(ref)).validate()));
                } else if (ref.type() == BlockType.INDIRECT && depth < Limits.TREE_DEPTH_MAX) {
                    collect(((IndirectBlock) load(ref)).table().validate(sizeBytes()), depth + 1, roots, damage);
                }
            } catch (IOException | CorruptBlockException e) {
                damage.accept("super-root: " + e.getMessage());
            }
        }
    }

    @Override
    public void close() {
        try {
            volume.close();
        } catch (IOException e) {
            // It was only read.
        }
        arena.close();
    }

    static void closeQuietly(BlockDevice device) {
        try {
            device.close();
        } catch (IOException e) {
            // It was only read.
        }
    }
}
