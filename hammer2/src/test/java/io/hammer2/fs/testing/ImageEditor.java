package io.hammer2.fs.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FreemapNode;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/**
 * An image that tests change: every block by its place in the tree, changes kept in memory over the unpacked file, and check
 * codes made right again on demand, from a block up to the volume header, so that a change gets past them.
 */
public final class ImageEditor implements AutoCloseable {
    /** Where the methods byte lies in a reference: check method in its high nibble. */
    private static final int METHODS = 1;

    private static final int DATA_OFF = 0x20;
    private static final int CHECK = 0x40;
    private static final int RADIX_MASK = 0x3F;

    private final List<BlockDevice> bases = new ArrayList<>();
    private final List<MemoryBlockDevice> overlays = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final int nodesMax;
    private long headerOffset;

    /** A block reference in the tree, as it was in the image, and with it the block. A node equals itself only. */
    public static final class Node {
        private final BlockRef ref;
        private final Node parent;
        private final long offsetInParent;
        private final int level;

        private Node(BlockRef ref, Node parent, long offsetInParent, int level) {
            this.ref = ref;
            this.parent = parent;
            this.offsetInParent = offsetInParent;
            this.level = level;
        }

        public BlockRef ref() {
            return ref;
        }

        /** The node whose block holds the reference; null for the volume header. */
        public Node parent() {
            return parent;
        }

        /** References above it, and itself: 1 for those in the volume header. */
        public int level() {
            return level;
        }

        public BlockType type() {
            return ref.type();
        }

        /** Whether there is a block behind the reference. */
        public boolean hasBlock() {
            return ref.radix() != 0;
        }

        @Override
        public String toString() {
            return ref + " at level " + level;
        }
    }

    private ImageEditor(int nodesMax) {
        this.nodesMax = nodesMax;
    }

    /** Opens an image whose tree, at least as much of it as {@code nodesMax} references, is sound. */
    public static ImageEditor open(InteropImages.Image image, int nodesMax) throws IOException {
        ImageEditor editor = new ImageEditor(nodesMax);
        for (Path volume : image.volumes()) {
            editor.bases.add(BlockDevices.open(volume, OpenMode.READ_ONLY));
        }
        editor.reset();
        editor.index();
        return editor;
    }

    /** As {@link #open}, of devices that stay the caller's: all volumes of a file system, in the order of their ids. */
    public static ImageEditor over(List<? extends BlockDevice> volumes, int nodesMax) {
        ImageEditor editor = new ImageEditor(nodesMax);
        volumes.forEach(volume -> editor.bases.add(new Borrowed(volume)));
        editor.reset();
        editor.index();
        return editor;
    }

    @Override
    public void close() throws IOException {
        overlays.forEach(MemoryBlockDevice::close);
        for (BlockDevice base : bases) {
            base.close();
        }
    }

    /** Forgets all changes; the devices handed out before are closed. */
    public void reset() {
        overlays.forEach(MemoryBlockDevice::close);
        overlays.clear();
        bases.forEach(base -> overlays.add(MemoryBlockDevice.over(base)));
    }

    /** The volumes with all changes; valid until {@link #reset}. */
    public List<BlockDevice> volumes() {
        return List.copyOf(overlays);
    }

    /** References in the order of a walk, parents first: the freemap's, then those of the files. */
    public List<Node> nodes() {
        return Collections.unmodifiableList(nodes);
    }

    /** References of one type, in the same order. */
    public List<Node> nodes(BlockType type) {
        return nodes.stream().filter(node -> node.type() == type).toList();
    }

    /** The nodes of the references in a node's block, in the order of the table. */
    public List<Node> children(Node parent) {
        return nodes.stream().filter(node -> node.parent == parent).toList();
    }

    /** A copy of the chosen header of the root volume as it is now. */
    public VolumeHeader header() {
        return new VolumeHeader(read(headerOffset, Limits.VOLUME_HEADER_BYTES));
    }

    /** Changes the chosen header of the root volume. */
    public void editHeader(Consumer<MemorySegment> edit) {
        MemorySegment bytes = header().bytes();
        edit.accept(bytes);
        write(headerOffset, bytes);
    }

    /** Makes the header's own CRCs right again. */
    public void refitHeader() {
        editHeader(bytes -> new VolumeHeader(bytes).updateCrcs());
    }

    /** A copy of a node's stored block as it is now, at the place where it was in the image. */
    public MemorySegment block(Node node) {
        return read(node.ref.offsetBytes(), node.ref.storedBytes());
    }

    /** Changes a node's block. Its check code does not match any more, until {@link #refit}. */
    public void editBlock(Node node, Consumer<MemorySegment> edit) {
        MemorySegment bytes = block(node);
        edit.accept(bytes);
        write(node.ref.offsetBytes(), bytes);
    }

    /** A copy of a node's reference as it is now: 128 bytes. */
    public MemorySegment ref(Node node) {
        return read(place(node), BlockRef.BYTES);
    }

    /** Changes a node's reference. The block that holds it has a wrong check code then, until {@link #refitAbove}. */
    public void editRef(Node node, Consumer<MemorySegment> edit) {
        MemorySegment bytes = ref(node);
        edit.accept(bytes);
        write(place(node), bytes);
    }

    /** Makes the check code of a node's block right again, and all above. */
    public void refit(Node node) {
        refitOne(node);
        refitAbove(node);
    }

    /** Makes the check codes of the blocks above a node's reference right again. */
    public void refitAbove(Node node) {
        for (Node above = node.parent; above != null; above = above.parent) {
            refitOne(above);
        }
        refitHeader();
    }

    /** Makes all check codes right again: cheaper than one by one where much has changed. */
    public void refitAll() {
        // Parents come before what is in them.
        nodes.reversed().forEach(this::refitOne);
        refitHeader();
    }

    /** The check code of whatever the reference points to now, as far as there is such a thing. */
    private void refitOne(Node node) {
        editRef(node, ref -> {
            int method = (ref.get(ValueLayout.JAVA_BYTE, METHODS) >>> 4) & 0x0F;
            long dataOff = ref.get(ValueLayout.JAVA_LONG_UNALIGNED, DATA_OFF);
            int radix = (int) dataOff & RADIX_MASK;
            long offset = dataOff & ~RADIX_MASK;
            boolean readable = radix >= Limits.RADIX_MIN
                    && radix <= Limits.RADIX_MAX
                    && offset >= 0
                    && overlay(offset, 1 << radix) >= 0;
            if (CheckCode.isKnown(method) && readable) {
                CheckCode.of(method).store(read(offset, 1 << radix), ref.asSlice(CHECK, CheckCode.AREA_BYTES));
            }
        });
    }

    private long place(Node node) {
        return (node.parent == null ? headerOffset : node.parent.ref.offsetBytes()) + node.offsetInParent;
    }

    private void index() {
        VolumeHeader best = null;
        BlockDevice root = overlays.getFirst();
        for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
            long offset = VolumeHeader.copyOffset(copy);
            if (offset + Limits.VOLUME_HEADER_BYTES > root.sizeBytes()) {
                break;
            }
            VolumeHeader header = new VolumeHeader(read(offset, Limits.VOLUME_HEADER_BYTES));
            if (header.defect() == null
                    && (best == null || Long.compareUnsigned(header.mirrorTid(), best.mirrorTid()) > 0)) {
                best = header;
                headerOffset = offset;
            }
        }
        if (best == null) {
            throw new IllegalArgumentException("an image without a valid header has no tree");
        }
        table(best.freemapBlockSet(), null, 1);
        table(best.superRootBlockSet(), null, 1);
    }

    private void table(BlockTable table, Node parent, int level) {
        for (int slot = 0; slot < table.slotCount() && nodes.size() < nodesMax; slot++) {
            if (table.isEmpty(slot)) {
                continue;
            }
            Node node = new Node(table.ref(slot), parent, table.offset(slot), level);
            nodes.add(node);
            switch (node.type()) {
                case INDIRECT -> table(new IndirectBlock(block(node)).table(), node, level + 1);
                case FREEMAP_NODE -> table(new FreemapNode(block(node)).table(), node, level + 1);
                case INODE -> {
                    InodeBlock inode = new InodeBlock(block(node));
                    if (!inode.isDirectData()) {
                        table(inode.blockSet(), node, level + 1);
                    }
                }
                case DATA, DIRENT, FREEMAP_LEAF, EMPTY, INVALID -> {}
            }
        }
    }

    /** Index of the volume that holds a range, or -1. Volumes follow one another without a gap. */
    private int overlay(long offset, int length) {
        long base = 0;
        for (int i = 0; i < overlays.size(); i++) {
            long size = overlays.get(i).sizeBytes();
            if (offset >= base && offset + length <= base + size) {
                return i;
            }
            base += size;
        }
        return -1;
    }

    private long inOverlay(int index, long offset) {
        long at = offset;
        for (int i = 0; i < index; i++) {
            at -= overlays.get(i).sizeBytes();
        }
        return at;
    }

    private MemorySegment read(long offset, int length) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[length]);
        int index = overlay(offset, length);
        try {
            overlays.get(index).readFully(inOverlay(index, offset), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes;
    }

    private void write(long offset, MemorySegment bytes) {
        int index = overlay(offset, (int) bytes.byteSize());
        try {
            overlays.get(index).writeFully(inOverlay(index, offset), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
