package io.hammer2.fs.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.testing.ImageEditor;
import io.hammer2.fs.testing.ImageEditor.Node;
import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each kind of problem, put into a sound image with all check codes right, is found, by its name. */
final class DamagedVolumeTest {
    private static final int NODES_MAX = 100_000;

    // Offsets of the format specification: header, section 3; block reference, 4; inode, 8.1.
    private static final int HEADER_ALLOCATOR_SIZE = 0x60;
    private static final int HEADER_MIRROR_TID = 0x78;
    private static final int HEADER_FREEMAP_TID = 0x90;
    private static final int REF_TYPE = 0x00;
    private static final int REF_METHODS = 0x01;
    private static final int REF_FLAGS = 0x05;
    private static final int REF_KEY = 0x08;
    private static final int REF_MIRROR_TID = 0x10;
    private static final int REF_DATA_OFF = 0x20;
    private static final int REF_DATA_COUNT = 0x30;
    private static final int REF_INUM = 0x30;
    private static final int REF_NAME_LENGTH = 0x38;
    private static final int REF_OBJECT_TYPE = 0x3A;
    private static final int REF_NAME = 0x40;
    private static final int INODE_VERSION = 0x00;
    private static final int INODE_INUM = 0x58;
    private static final int INODE_SIZE = 0x60;
    private static final int INODE_NLINKS = 0x68;
    private static final int INODE_IPARENT = 0x70;
    private static final int INODE_PFS_INUM = 0x88;
    private static final int INODE_PFS_FSID = 0xA0;

    private ImageEditor editor;
    private final List<Finding> findings = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        if (editor != null) {
            editor.close();
        }
    }

    @Test
    void a_damaged_header_copy_is_volhdr_and_the_other_one_is_used() throws IOException {
        open("m01-two-volumes");
        editor.editHeader(bytes -> flip(bytes, 0x300));
        assertOnly(ProblemCode.VOLHDR);
    }

    @Test
    void more_free_space_than_space_is_geometry() throws IOException {
        open("v09-version1");
        editor.editHeader(bytes -> putLong(bytes, HEADER_ALLOCATOR_SIZE, 1 << 20));
        editor.refitHeader();
        assertOnly(ProblemCode.GEOMETRY);
    }

    @Test
    void a_super_root_with_a_number_is_sroot() throws IOException {
        open("v09-version1");
        editBlock(first(BlockType.INODE), bytes -> putLong(bytes, INODE_INUM, 5));
        assertOnly(ProblemCode.SROOT);
    }

    @Test
    void a_pfs_reference_without_its_flag_is_pfs() throws IOException {
        open("v10-labels");
        editRef(pfsRoot(), ref -> putByte(ref, REF_FLAGS, 0));
        assertOnly(ProblemCode.PFS);
    }

    @Test
    void two_pfses_with_one_fsid_are_pfs() throws IOException {
        open("v10-labels");
        List<Node> roots = editor.nodes(BlockType.INODE).stream()
                .filter(node -> node.ref().isPfsRoot())
                .toList();
        MemorySegment fsid = editor.block(roots.get(0)).asSlice(INODE_PFS_FSID, 16);
        editBlock(roots.get(1), bytes -> bytes.asSlice(INODE_PFS_FSID, 16).copyFrom(fsid));
        assertOnly(ProblemCode.PFS);
    }

    @Test
    void an_inode_number_above_the_allocator_is_pfs() throws IOException {
        open("v09-version1");
        editBlock(pfsRoot(), bytes -> putLong(bytes, INODE_PFS_INUM, 1024));
        assertOnly(ProblemCode.PFS);
    }

    @Test
    void a_flipped_bit_is_check_in_every_kind_of_block() throws IOException {
        open("v07-dirs");
        for (BlockType type : List.of(
                BlockType.DATA, BlockType.INODE, BlockType.INDIRECT, BlockType.DIRENT, BlockType.FREEMAP_LEAF)) {
            List<Node> nodes =
                    editor.nodes(type).stream().filter(Node::hasBlock).toList();
            if (!nodes.isEmpty()) {
                editor.reset();
                editor.editBlock(nodes.getLast(), bytes -> flip(bytes, 777));
                assertOnly(ProblemCode.CHECK);
            }
        }
    }

    @Test
    void a_block_that_the_device_refuses_is_read() throws IOException {
        open("v04-zlib");
        Node data = first(BlockType.DATA);
        BlockDevice device = editor.volumes().getFirst();
        long bad = data.ref().offsetBytes();
        FsckResult result = Fsck.check(
                List.of(new BadSector(device, bad, data.ref().storedBytes())), FsckOptions.DEFAULT, findings::add);
        assertEquals(
                EnumSet.of(ProblemCode.READ),
                EnumSet.copyOf(result.problemCounts().keySet()));
    }

    @Test
    void an_impossible_radix_is_bref() throws IOException {
        open("v04-zlib");
        editRef(first(BlockType.DATA), ref -> putLong(ref, REF_DATA_OFF, (getLong(ref, REF_DATA_OFF) & ~63) | 9));
        assertFound(ProblemCode.BREF);
    }

    @Test
    void storage_in_a_reserved_segment_is_bref() throws IOException {
        open("v04-zlib");
        editRef(first(BlockType.DATA), ref -> putLong(ref, REF_DATA_OFF, Limits.GIB | 16));
        assertFound(ProblemCode.BREF);
    }

    @Test
    void an_unknown_type_is_bref() throws IOException {
        open("v04-zlib");
        editRef(first(BlockType.DATA), ref -> putByte(ref, REF_TYPE, 200));
        assertFound(ProblemCode.BREF);
    }

    @Test
    void autozero_as_an_encoding_is_bref() throws IOException {
        open("v04-zlib");
        editRef(
                first(BlockType.DATA),
                ref -> putByte(ref, REF_METHODS, (ref.get(ValueLayout.JAVA_BYTE, 1) & 0xF0) | 1));
        assertFound(ProblemCode.BREF);
    }

    @Test
    void an_unaligned_key_is_key() throws IOException {
        open("v04-zlib");
        editRef(first(BlockType.DATA), ref -> putLong(ref, REF_KEY, getLong(ref, REF_KEY) + 1));
        assertFound(ProblemCode.KEY);
    }

    @Test
    void swapped_entries_are_order() throws IOException {
        open("v07-dirs");
        Node table = editor.nodes(BlockType.INDIRECT).stream()
                .filter(node -> editor.children(node).size() >= 2)
                .findFirst()
                .orElseThrow();
        List<Node> children = editor.children(table);
        Node a = children.get(0);
        Node b = children.get(1);
        MemorySegment first = editor.ref(a);
        MemorySegment second = editor.ref(b);
        editor.editRef(a, ref -> ref.copyFrom(second));
        editor.editRef(b, ref -> ref.copyFrom(first));
        editor.refitAbove(a);
        assertFound(ProblemCode.ORDER);
    }

    @Test
    void a_table_that_refers_to_itself_is_depth_and_ends() throws IOException {
        open("v07-dirs");
        Node table = editor.nodes(BlockType.INDIRECT).getLast();
        MemorySegment self = editor.ref(table);
        // No code can be right for a block that contains it.
        putByte(self, REF_METHODS, 0x10);
        editBlock(table, bytes -> {
            bytes.fill((byte) 0);
            bytes.asSlice(0, BlockRef.BYTES).copyFrom(self);
        });
        assertFound(ProblemCode.DEPTH);
    }

    @Test
    void an_unknown_inode_version_is_inode() throws IOException {
        open("v09-version1");
        editBlock(file(), bytes -> putByte(bytes, INODE_VERSION, 2));
        assertOnly(ProblemCode.INODE);
    }

    @Test
    void direct_data_beyond_512_bytes_is_inode() throws IOException {
        open("v09-version1");
        editBlock(inode(InodeBlock::isDirectData), bytes -> putLong(bytes, INODE_SIZE, 513));
        assertOnly(ProblemCode.INODE);
    }

    @Test
    void a_directory_with_a_wrong_parent_is_inode() throws IOException {
        open("v09-version1");
        Node directory = inode(inode -> inode.typeCode() == 1 && inode.inum() >= 1024);
        editBlock(directory, bytes -> putLong(bytes, INODE_IPARENT, 4711));
        assertOnly(ProblemCode.INODE);
    }

    @Test
    void an_entry_of_another_type_is_dirent() throws IOException {
        open("v09-version1");
        editRef(fileEntry(), ref -> putByte(ref, REF_OBJECT_TYPE, 9));
        assertOnly(ProblemCode.DIRENT);
    }

    @Test
    void a_long_name_without_its_block_is_dirent() throws IOException {
        open("v09-version1");
        editRef(fileEntry(), ref -> putByte(ref, REF_NAME_LENGTH, 65));
        assertFound(ProblemCode.DIRENT);
    }

    @Test
    void a_slash_in_a_name_is_dirent() throws IOException {
        open("v09-version1");
        editRef(fileEntry(), ref -> putByte(ref, REF_NAME, '/'));
        assertOnly(ProblemCode.DIRENT);
    }

    @Test
    void a_name_twice_is_dirent() throws IOException {
        open("v07-dirs");
        // Two names of one bucket: the second takes the name of the first.
        List<Node> entries = editor.nodes(BlockType.DIRENT);
        for (int i = 1; i < entries.size(); i++) {
            Node a = entries.get(i - 1);
            Node b = entries.get(i);
            if (a.ref().key() >>> 15 == b.ref().key() >>> 15 && !a.hasBlock() && !b.hasBlock()) {
                MemorySegment from = editor.ref(a);
                editRef(b, ref -> {
                    ref.asSlice(REF_NAME_LENGTH, 2).copyFrom(from.asSlice(REF_NAME_LENGTH, 2));
                    ref.asSlice(REF_NAME, 64).copyFrom(from.asSlice(REF_NAME, 64));
                });
                assertOnly(ProblemCode.DIRENT);
                return;
            }
        }
        throw new AssertionError("no two names with one hash in the image");
    }

    @Test
    void a_name_under_a_key_of_another_is_hash() throws IOException {
        open("v09-version1");
        editRef(fileEntry(), ref -> putByte(ref, REF_NAME, 'Q'));
        assertOnly(ProblemCode.HASH);
    }

    @Test
    void a_block_beyond_the_end_of_its_file_is_data() throws IOException {
        open("v04-zlib");
        Node data = editor.nodes(BlockType.DATA).stream()
                .filter(node ->
                        node.parent().type() == BlockType.INODE && node.ref().key() > 0)
                .findFirst()
                .orElseThrow();
        editBlock(data.parent(), bytes -> putLong(bytes, INODE_SIZE, data.ref().key()));
        assertOnly(ProblemCode.DATA);
    }

    @Test
    void a_stream_that_does_not_decompress_is_data_when_asked_to_look() throws IOException {
        open("v04-zlib");
        Node data = editor.nodes(BlockType.DATA).stream()
                .filter(node -> node.ref().compressionMethod() == 3)
                .findFirst()
                .orElseThrow();
        editBlock(data, bytes -> flip(bytes, 0));
        assertEquals(FsckResult.Outcome.CLEAN, check(FsckOptions.DEFAULT).outcome());
        assertEquals(EnumSet.of(ProblemCode.DATA), codes(check(FsckOptions.DEFAULT.withDeep(true))));
    }

    @Test
    void an_entry_of_nothing_is_dangling_and_what_it_named_is_orphan() throws IOException {
        open("v09-version1");
        editRef(fileEntry(), ref -> putLong(ref, REF_INUM, 0x7777777));
        FsckResult result = check(FsckOptions.DEFAULT);
        assertEquals(EnumSet.of(ProblemCode.DANGLING, ProblemCode.ORPHAN), codes(result));
        assertTrue(findings.stream().anyMatch(f -> f.path() != null), "the entry's path is known: " + findings);
    }

    @Test
    void a_wrong_link_count_is_nlinks() throws IOException {
        open("v09-version1");
        editBlock(file(), bytes -> putLong(bytes, INODE_NLINKS, 7));
        assertOnly(ProblemCode.NLINKS);
        editor.reset();
        Node directory = inode(inode -> inode.typeCode() == 1 && inode.inum() >= 1024);
        editBlock(directory, bytes -> putLong(bytes, INODE_NLINKS, 1000));
        assertOnly(ProblemCode.NLINKS);
    }

    @Test
    void a_block_inside_another_is_overlap() throws IOException {
        open("v04-zlib");
        Node large = editor.nodes(BlockType.DATA).stream()
                .filter(node -> node.ref().radix() == 16)
                .findFirst()
                .orElseThrow();
        Node small = editor.nodes(BlockType.DATA).stream()
                .filter(node -> node.ref().radix() == 10)
                .findFirst()
                .orElseThrow();
        editor.editRef(small, ref -> putLong(ref, REF_DATA_OFF, (large.ref().offsetBytes() + 1024) | 10));
        editor.refit(small);
        assertOnly(ProblemCode.OVERLAP);
    }

    @Test
    void a_block_of_two_types_is_overlap() throws IOException {
        open("v04-zlib");
        Node inode = file();
        Node small = editor.nodes(BlockType.DATA).stream()
                .filter(node -> node.ref().radix() == 10)
                .findFirst()
                .orElseThrow();
        // Data without a check code: refitting the file's inode must not make that of the data wrong again.
        editor.editRef(small, ref -> {
            putLong(ref, REF_DATA_OFF, inode.ref().dataOff());
            putByte(ref, REF_METHODS, 0);
        });
        editor.refitAbove(small);
        assertOnly(ProblemCode.OVERLAP);
    }

    @Test
    void a_wrong_sum_of_free_space_is_freemap() throws IOException {
        open("v09-version1");
        editBlock(first(BlockType.FREEMAP_LEAF), bytes -> new FreemapLeaf(bytes).setAvailBytes(100, 12345));
        assertOnly(ProblemCode.FREEMAP);
    }

    @Test
    void a_freemap_block_outside_of_its_slots_is_freemap() throws IOException {
        open("v09-version1");
        editor.editRef(first(BlockType.FREEMAP_LEAF), ref -> putLong(ref, REF_DATA_OFF, 41L * 65536 | 15));
        editor.refit(first(BlockType.FREEMAP_LEAF));
        assertOnly(ProblemCode.FREEMAP);
    }

    @Test
    void a_block_in_use_and_free_is_freemap_free_and_lag_if_it_is_newer_than_the_freemap() throws IOException {
        open("v09-version1");
        freeEverything();
        assertOnly(ProblemCode.FREEMAP_FREE);
        editor.editHeader(bytes -> putLong(bytes, HEADER_FREEMAP_TID, 1));
        editor.refitHeader();
        assertOnly(ProblemCode.FREEMAP_LAG);
    }

    @Test
    void a_child_newer_than_its_parent_is_tid() throws IOException {
        open("v09-version1");
        editor.editHeader(bytes -> putLong(bytes, HEADER_MIRROR_TID, 1000));
        editor.refitHeader();
        editRef(fileEntry(), ref -> putLong(ref, REF_MIRROR_TID, 999));
        assertFound(ProblemCode.TID);
    }

    @Test
    void a_wrong_sum_below_is_counters() throws IOException {
        open("v04-zlib");
        editRef(first(BlockType.DATA).parent(), ref -> putLong(ref, REF_DATA_COUNT, getLong(ref, REF_DATA_COUNT) + 1));
        assertOnly(ProblemCode.COUNTERS);
    }

    @Test
    void giving_up_is_limit_and_never_clean() throws IOException {
        open("v09-version1");
        FsckResult result = check(FsckOptions.DEFAULT.withReferencesMax(10));
        assertEquals(EnumSet.of(ProblemCode.LIMIT), codes(result));
        assertEquals(FsckResult.Outcome.PROBLEMS, result.outcome());
    }

    @Test
    void a_listener_can_give_up() throws IOException {
        open("v09-version1");
        FsckResult result = Fsck.check(editor.volumes(), FsckOptions.DEFAULT, new FsckListener() {
            @Override
            public void found(Finding finding) {}

            @Override
            public boolean cancelled() {
                return true;
            }
        });
        assertEquals(FsckResult.Outcome.CANCELLED, result.outcome());
    }

    @Test
    void no_header_no_super_root_or_a_missing_volume_is_unusable_and_says_why() throws IOException {
        open("m01-two-volumes");
        List<BlockDevice> volumes = editor.volumes();
        FsckResult second = Fsck.check(List.of(volumes.get(1)), FsckOptions.DEFAULT, FsckListener.SILENT);
        assertTrue(second.unusable().contains("root volume"), second.unusable());
        FsckResult first = Fsck.check(List.of(volumes.get(0)), FsckOptions.DEFAULT, FsckListener.SILENT);
        assertTrue(first.unusable().contains("volumes 0 to 1"), first.unusable());
        editor.editHeader(bytes -> new VolumeHeader(bytes).superRootBlockSet().clear(0));
        editor.refitHeader();
        assertTrue(check(FsckOptions.DEFAULT).unusable().contains("super-root"));
    }

    @Test
    void a_device_that_is_no_volume_is_unusable_with_the_reason_for_each_copy() {
        try (var blank = new io.hammer2.blockdev.testing.MemoryBlockDevice(5L << 30)) {
            FsckResult result = Fsck.check(List.of(blank), FsckOptions.DEFAULT, FsckListener.SILENT);
            assertEquals(FsckResult.Outcome.UNUSABLE, result.outcome());
            assertTrue(
                    result.unusable().contains("copy 0: all zero; copy 1: all zero; copy 2: all zero"),
                    result.unusable());
        }
    }

    @Test
    void a_problem_in_a_directory_does_not_blame_what_it_hides() throws IOException {
        open("v07-dirs");
        Node entries = editor.nodes(BlockType.DIRENT).getLast().parent();
        editor.editBlock(entries, bytes -> flip(bytes, 500));
        assertOnly(ProblemCode.CHECK);
    }

    /** All granules of the image's first leaf, outside of the reserve, become free. */
    private void freeEverything() {
        editBlock(first(BlockType.FREEMAP_LEAF), bytes -> {
            FreemapLeaf leaf = new FreemapLeaf(bytes);
            for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                if (leaf.allocationClass(segment) != 0) {
                    for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                        leaf.setGranule(segment, granule, FreemapLeaf.Granule.FREE);
                    }
                    leaf.setAvailBytes(segment, Limits.FREEMAP_SEGMENT_BYTES);
                    leaf.setLinear(segment, 0);
                }
            }
        });
    }

    /** Opens the image and proves that it is clean before it is damaged. */
    private void open(String name) throws IOException {
        editor = ImageEditor.open(InteropImages.get(name), NODES_MAX);
        assertOnly();
    }

    private Node first(BlockType type) {
        return editor.nodes(type).getFirst();
    }

    private Node pfsRoot() {
        return editor.nodes(BlockType.INODE).stream()
                .filter(node -> node.ref().isPfsRoot())
                .filter(node -> !editor.children(node).isEmpty())
                .findFirst()
                .orElseThrow();
    }

    private Node file() {
        return inode(inode -> inode.typeCode() == 2);
    }

    private Node inode(Predicate<InodeBlock> wanted) {
        return editor.nodes(BlockType.INODE).stream()
                .filter(node -> wanted.test(new InodeBlock(editor.block(node))))
                .findFirst()
                .orElseThrow();
    }

    /** An entry, in its reference alone, of a regular file. */
    private Node fileEntry() {
        return editor.nodes(BlockType.DIRENT).stream()
                .filter(node -> !node.hasBlock())
                .filter(node -> DirectoryEntry.of(node.ref()).objectTypeCode() == 2)
                .findFirst()
                .orElseThrow();
    }

    private void editBlock(Node node, Consumer<MemorySegment> edit) {
        editor.editBlock(node, edit);
        editor.refit(node);
    }

    private void editRef(Node node, Consumer<MemorySegment> edit) {
        editor.editRef(node, edit);
        editor.refitAbove(node);
    }

    private FsckResult check(FsckOptions options) {
        findings.clear();
        FsckResult result = Fsck.check(editor.volumes(), options, findings::add);
        for (Finding finding : findings) {
            assertNotNull(finding.text());
        }
        return result;
    }

    private static EnumSet<ProblemCode> codes(FsckResult result) {
        EnumSet<ProblemCode> codes = EnumSet.noneOf(ProblemCode.class);
        codes.addAll(result.problemCounts().keySet());
        return codes;
    }

    private void assertOnly(ProblemCode... expected) {
        EnumSet<ProblemCode> codes = EnumSet.noneOf(ProblemCode.class);
        codes.addAll(List.of(expected));
        assertEquals(codes, codes(check(FsckOptions.DEFAULT)), () -> findings.toString());
    }

    private void assertFound(ProblemCode expected) {
        FsckResult result = check(FsckOptions.DEFAULT);
        assertTrue(codes(result).contains(expected), () -> findings.toString());
        assertTrue(!codes(result).contains(ProblemCode.INTERNAL), () -> findings.toString());
    }

    private static void flip(MemorySegment bytes, long offset) {
        bytes.set(ValueLayout.JAVA_BYTE, offset, (byte) (bytes.get(ValueLayout.JAVA_BYTE, offset) ^ 1));
    }

    private static void putByte(MemorySegment bytes, long offset, int value) {
        bytes.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    private static void putLong(MemorySegment bytes, long offset, long value) {
        bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
    }

    private static long getLong(MemorySegment bytes, long offset) {
        return bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
    }
}
