package io.hammer2.fs.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.ImageEditor.Node;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Hostile variants of an image, each from a seed. A mutation changes one to three things: fields of the header, of a
 * reference, an inode or an entry, the shape of a table, or the bytes of a block. For every even seed the check codes are made
 * right again up to the volume header, so that what was changed gets past them; for every odd one they are left as they are.
 *
 * <pre>
 * try (ImageMutator mutator = ImageMutator.open(image)) {
 *     for (long seed = 0; seed < n; seed++) {
 *         ImageMutator.Mutation mutation = mutator.mutate(seed);
 *         ... mutation.volumes(), which are valid until the next one; mutation.toString() for the message of a failure
 *     }
 * }
 * </pre>
 */
public final class ImageMutator implements AutoCloseable {
    /** References of an image that are known to the mutator: parents first, so that those near the root always are. */
    private static final int NODES_MAX = 20_000;

    /** Values at which arithmetic goes wrong. */
    private static final long[] EDGES = {
        0,
        1,
        2,
        63,
        64,
        255,
        256,
        511,
        512,
        513,
        1023,
        1024,
        65535,
        65536,
        1L << 22,
        1L << 30,
        1L << 31,
        1L << 32,
        (1L << 32) - 1,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1,
        -2,
        -65536
    };

    private final String image;
    private final ImageEditor editor;
    private final Map<BlockType, List<Node>> byType = new EnumMap<>(BlockType.class);
    private final StringBuilder text = new StringBuilder();
    private SplittableRandom random;
    private boolean refit;

    /**
     * A hostile variant.
     *
     * @param refitted whether check codes were made right again
     * @param text what was changed
     * @param volumes the volumes; valid until the next mutation
     */
    public record Mutation(String image, long seed, boolean refitted, String text, List<BlockDevice> volumes) {
        @Override
        public String toString() {
            return image + " seed " + seed + (refitted ? " refitted:" : ":") + text;
        }
    }

    /** A field by its place; those of a kind are listed as often as they deserve to be hit. */
    private record Field(String name, int offset, int bytes) {}

    private static final List<Field> HEADER_FIELDS = List.of(
            new Field("magic", 0x00, 8),
            new Field("boot_beg", 0x08, 8),
            new Field("boot_end", 0x10, 8),
            new Field("aux_beg", 0x18, 8),
            new Field("aux_end", 0x20, 8),
            new Field("volu_size", 0x28, 8),
            new Field("version", 0x30, 4),
            new Field("volu_id", 0x3B, 1),
            new Field("nvolumes", 0x3C, 1),
            new Field("fstype", 0x50, 8),
            new Field("allocator_size", 0x60, 8),
            new Field("allocator_free", 0x68, 8),
            new Field("allocator_beg", 0x70, 8),
            new Field("mirror_tid", 0x78, 8),
            new Field("freemap_tid", 0x90, 8),
            new Field("total_size", 0xC0, 8),
            new Field("volu_loff[0]", 0xE00, 8),
            new Field("volu_loff[1]", 0xE08, 8));

    private static final List<Field> REF_FIELDS = List.of(
            new Field("type", 0x00, 1),
            new Field("methods", 0x01, 1),
            new Field("keybits", 0x03, 1),
            new Field("flags", 0x05, 1),
            new Field("leaf_count", 0x06, 2),
            new Field("key", 0x08, 8),
            new Field("mirror_tid", 0x10, 8),
            new Field("modify_tid", 0x18, 8),
            new Field("data_off", 0x20, 8),
            new Field("radix", 0x20, 1),
            new Field("embed[0]", 0x30, 8),
            new Field("embed[1]", 0x38, 8),
            new Field("check", 0x40, 8));

    private static final List<Field> DIRENT_FIELDS = List.of(
            new Field("inum", 0x30, 8),
            new Field("namlen", 0x38, 2),
            new Field("object type", 0x3A, 1),
            new Field("name", 0x40, 1),
            new Field("key", 0x08, 8),
            new Field("data_off", 0x20, 8));

    private static final List<Field> INODE_FIELDS = List.of(
            new Field("version", 0x00, 2),
            new Field("uflags", 0x04, 4),
            new Field("rmajor", 0x08, 4),
            new Field("mtime", 0x18, 8),
            new Field("type", 0x50, 1),
            new Field("op_flags", 0x51, 1),
            new Field("mode", 0x54, 4),
            new Field("inum", 0x58, 8),
            new Field("size", 0x60, 8),
            new Field("nlinks", 0x68, 8),
            new Field("iparent", 0x70, 8),
            new Field("name_key", 0x78, 8),
            new Field("name_len", 0x80, 2),
            new Field("comp_algo", 0x83, 1),
            new Field("check_algo", 0x85, 1),
            new Field("pfs_type", 0x87, 1),
            new Field("pfs_inum", 0x88, 8),
            new Field("pfs_clid", 0x90, 8),
            new Field("name", 0x100, 1));

    private ImageMutator(String image, ImageEditor editor) {
        this.image = image;
        this.editor = editor;
        for (Node node : editor.nodes()) {
            byType.computeIfAbsent(node.type(), type -> new ArrayList<>()).add(node);
        }
    }

    /** Opens a sound image; which of its volumes lie where is known, so it may have several. */
    public static ImageMutator open(InteropImages.Image image) throws IOException {
        return new ImageMutator(image.name(), ImageEditor.open(image, NODES_MAX));
    }

    @Override
    public void close() throws IOException {
        editor.close();
    }

    /** The variant of this seed; ends the one before. */
    public Mutation mutate(long seed) {
        editor.reset();
        random = new SplittableRandom(seed);
        refit = (seed & 1) == 0;
        text.setLength(0);
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            change();
        }
        return new Mutation(image, seed, refit, text.toString(), editor.volumes());
    }

    private void change() {
        switch (random.nextInt(12)) {
            case 0 -> header();
            case 1, 2 -> refField(any());
            case 3 -> refField(anyOf(BlockType.INDIRECT, BlockType.INODE));
            case 4, 5 -> blockField(anyOf(BlockType.INODE), INODE_FIELDS);
            case 6 -> direntField(anyOf(BlockType.DIRENT));
            case 7 -> alias();
            case 8 -> tableShape();
            case 9 -> bytes(anyOf(BlockType.DATA));
            case 10 ->
                bytes(anyOf(BlockType.INDIRECT, BlockType.FREEMAP_LEAF, BlockType.FREEMAP_NODE, BlockType.DIRENT));
            default -> streamHead(anyOf(BlockType.DATA));
        }
    }

    private void header() {
        Field field = pick(HEADER_FIELDS);
        editor.editHeader(bytes -> set(bytes, field, "header"));
        if (refit) {
            editor.refitHeader();
        }
    }

    private void refField(Node node) {
        editor.editRef(node, ref -> set(ref, pick(REF_FIELDS), "ref of " + name(node)));
        refitAbove(node);
    }

    private void direntField(Node node) {
        editor.editRef(node, ref -> set(ref, pick(DIRENT_FIELDS), "entry " + name(node)));
        refitAbove(node);
    }

    private void blockField(Node node, List<Field> fields) {
        editor.editBlock(node, bytes -> set(bytes, pick(fields), name(node)));
        refitBlock(node);
    }

    /** A reference becomes one to the block of another node: shared, of another type, an ancestor, itself. */
    private void alias() {
        Node node = anyOf(BlockType.INDIRECT, BlockType.INODE, BlockType.DATA);
        Node target = node;
        switch (random.nextInt(3)) {
            case 0 -> target = any();
            case 1 -> {
                for (int up = random.nextInt(4); up > 0 && target.parent() != null; up--) {
                    target = target.parent();
                }
            }
            default -> target = anyOf(node.type());
        }
        long dataOff = target.ref().dataOff();
        boolean unchecked = random.nextBoolean();
        boolean whole = random.nextInt(4) == 0;
        MemorySegment copy = editor.ref(target);
        editor.editRef(node, ref -> {
            if (whole) {
                ref.copyFrom(copy);
            }
            ref.set(ValueLayout.JAVA_LONG_UNALIGNED, 0x20, dataOff);
            if (unchecked) {
                // Without a check code a loop of references can be made that no code contradicts.
                ref.set(ValueLayout.JAVA_BYTE, 0x01, (byte) 0x10);
            }
        });
        text.append(" [")
                .append(name(node))
                .append(" now refers to the block of ")
                .append(name(target));
        text.append(whole ? ", all of it" : "").append(unchecked ? ", unchecked]" : "]");
        if (refit && !unchecked) {
            editor.refit(node);
        } else {
            refitAbove(node);
        }
    }

    /** Entries of a table are swapped, doubled, removed. */
    private void tableShape() {
        Node node = anyOf(BlockType.INDIRECT, BlockType.INODE);
        int base = node.type() == BlockType.INODE ? 0x200 : 0;
        int slots = (node.ref().storedBytes() - base) / BlockRef.BYTES;
        int a = base + random.nextInt(slots) * BlockRef.BYTES;
        int b = base + random.nextInt(slots) * BlockRef.BYTES;
        int how = random.nextInt(3);
        editor.editBlock(node, bytes -> {
            MemorySegment first = bytes.asSlice(a, BlockRef.BYTES);
            MemorySegment second = bytes.asSlice(b, BlockRef.BYTES);
            byte[] old = first.toArray(ValueLayout.JAVA_BYTE);
            if (how == 2) {
                first.fill((byte) 0);
            } else {
                first.copyFrom(second);
                if (how == 0) {
                    second.copyFrom(MemorySegment.ofArray(old));
                }
            }
        });
        text.append(" [")
                .append(name(node))
                .append(" entries at ")
                .append(a)
                .append(" and ")
                .append(b);
        text.append(how == 0 ? " swapped]" : how == 1 ? " doubled]" : " the first removed]");
        refitBlock(node);
    }

    private void bytes(Node node) {
        if (!node.hasBlock()) {
            return;
        }
        int count = 1 + random.nextInt(8);
        text.append(" [").append(count).append(" bytes of ").append(name(node)).append(']');
        editor.editBlock(node, bytes -> {
            for (int i = 0; i < count; i++) {
                bytes.set(ValueLayout.JAVA_BYTE, random.nextLong(bytes.byteSize()), (byte) random.nextInt());
            }
        });
        refitBlock(node);
    }

    /** The length word and the first tokens of a compressed block, or its encoding. */
    private void streamHead(Node node) {
        if (!node.hasBlock()) {
            return;
        }
        if (random.nextBoolean()) {
            int method = random.nextInt(5);
            editor.editRef(node, ref -> {
                int methods = ref.get(ValueLayout.JAVA_BYTE, 0x01) & 0xF0;
                ref.set(ValueLayout.JAVA_BYTE, 0x01, (byte) (methods | method));
            });
            text.append(" [")
                    .append(name(node))
                    .append(" encoding ")
                    .append(method)
                    .append(']');
            refitAbove(node);
        } else {
            editor.editBlock(node, bytes -> set(bytes, new Field("stream", random.nextInt(12), 4), name(node)));
            refitBlock(node);
        }
    }

    private void set(MemorySegment bytes, Field field, String where) {
        long old = get(bytes, field);
        long value = switch (random.nextInt(5)) {
            case 0 -> random.nextLong();
            case 1, 2 -> EDGES[random.nextInt(EDGES.length)];
            case 3 -> old ^ (1L << random.nextInt(field.bytes * 8));
            default -> old + random.nextInt(-2, 3);
        };
        for (int i = 0; i < field.bytes; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, field.offset + i, (byte) (value >>> (8 * i)));
        }
        text.append(" [")
                .append(where)
                .append(' ')
                .append(field.name)
                .append(' ')
                .append(Long.toHexString(old));
        text.append(" -> ").append(Long.toHexString(get(bytes, field))).append(']');
    }

    private static long get(MemorySegment bytes, Field field) {
        long value = 0;
        for (int i = 0; i < field.bytes; i++) {
            value |= (bytes.get(ValueLayout.JAVA_BYTE, field.offset + i) & 0xFFL) << (8 * i);
        }
        return value;
    }

    private void refitAbove(Node node) {
        if (refit) {
            editor.refitAbove(node);
        }
    }

    private void refitBlock(Node node) {
        if (refit) {
            editor.refit(node);
        }
    }

    private Node any() {
        return editor.nodes().get(random.nextInt(editor.nodes().size()));
    }

    /** A node of one of these types, near the root more often than a fair choice would be; any if there is none. */
    private Node anyOf(BlockType... types) {
        List<Node> candidates = byType.getOrDefault(types[random.nextInt(types.length)], List.of());
        if (candidates.isEmpty()) {
            return any();
        }
        int bound = random.nextInt(4) == 0 ? Math.min(4, candidates.size()) : candidates.size();
        return candidates.get(random.nextInt(bound));
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static String name(Node node) {
        return node.type() + " " + Long.toHexString(node.ref().key()) + "/"
                + node.ref().keybits() + " at " + Long.toHexString(node.ref().offsetBytes() & -Limits.KIB);
    }
}
