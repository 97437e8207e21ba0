package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * The volume header: root of everything, in up to four copies that are the last commits in rotation (section 3). A view.
 *
 * <pre>
 * 0000 magic  0008 boot_beg  0010 boot_end  0018 aux_beg  0020 aux_end  0028 volu_size
 * 0030 version (4)  0034 flags (4)  0038 copyid  0039 freemap_version  003a peer_type  003b volu_id  003c nvolumes
 * 0040 fsid (16)  0050 fstype (16)  0060 allocator_size  0068 allocator_free  0070 allocator_beg
 * 0078 mirror_tid  0090 freemap_tid  0098 bulkfree_tid  00c0 total_size  00c8 copyexists (32)
 * 00e8 extensions: ours, in a reserved place; a mask (4), and what tells that it is one (4)
 * 01e0 icrc_sects (8 * 4): [6] at 01f8 covers 0200..03ff, [7] at 01fc covers 0000..01fb
 * 0200 sroot_blockset (512)      0800 freemap_blockset (512)      0e00 volu_loff (64 * 8)
 * 1000 copyinfo (32768)          fffc icrc_volheader, covers 0000..fffb
 * </pre>
 */
public record VolumeHeader(MemorySegment bytes) implements Block {
    /** First eight bytes of every header. */
    public static final long MAGIC = 0x48414D3205172011L;

    /** {@link #MAGIC} of the other byte order, which is refused. */
    public static final long MAGIC_SWAPPED = Long.reverseBytes(MAGIC);

    /** {@link #defect} of a copy that was never written. */
    public static final String ALL_ZERO = "all zero";

    /** Of {@link #extensions}: files may be compressed with zstd. */
    public static final int EXTENSION_ZSTD = 1;

    private static final int EXTENSIONS_MAGIC = 0x4A324845;

    private static final int MAGIC_OFFSET = 0x0000;
    private static final int BOOT_BEG = 0x0008;
    private static final int BOOT_END = 0x0010;
    private static final int AUX_BEG = 0x0018;
    private static final int AUX_END = 0x0020;
    private static final int VOLU_SIZE = 0x0028;
    private static final int VERSION = 0x0030;
    private static final int FLAGS = 0x0034;
    private static final int COPYID = 0x0038;
    private static final int FREEMAP_VERSION = 0x0039;
    private static final int PEER_TYPE = 0x003A;
    private static final int VOLU_ID = 0x003B;
    private static final int NVOLUMES = 0x003C;
    private static final int FSID = 0x0040;
    private static final int FSTYPE = 0x0050;
    private static final int ALLOCATOR_SIZE = 0x0060;
    private static final int ALLOCATOR_FREE = 0x0068;
    private static final int ALLOCATOR_BEG = 0x0070;
    private static final int MIRROR_TID = 0x0078;
    private static final int FREEMAP_TID = 0x0090;
    private static final int BULKFREE_TID = 0x0098;
    private static final int TOTAL_SIZE = 0x00C0;
    private static final int EXTENSIONS = 0x00E8;
    private static final int EXTENSIONS_TAG = 0x00EC;
    private static final int ICRC_SECT6 = 0x01F8;
    private static final int ICRC_SECT7 = 0x01FC;
    private static final int SROOT_BLOCKSET = 0x0200;
    private static final int FREEMAP_BLOCKSET = 0x0800;
    private static final int VOLU_LOFF = 0x0E00;
    private static final int ICRC_VOLHEADER = 0xFFFC;
    private static final int SECTOR_BYTES = 512;

    public VolumeHeader {
        if (bytes.byteSize() != Limits.VOLUME_HEADER_BYTES) {
            throw new IllegalArgumentException("a volume header has 65536 bytes, not " + bytes.byteSize());
        }
    }

    /** Device offset of header copy {@code copy}, 0..3. */
    public static long copyOffset(int copy) {
        return copy * Limits.ZONE_BYTES;
    }

    /** How many copies take part in commits (section 2.3): those whose zone begins with a whole reserved segment. */
    public int copyCount() {
        int count = 1;
        while (count < Limits.VOLUME_HEADER_COPIES && copyOffset(count) + Limits.RESERVED_SEGMENT_BYTES <= voluSize()) {
            count++;
        }
        return count;
    }

    public long magic() {
        return Fields.u64(bytes, MAGIC_OFFSET);
    }

    public long bootBeg() {
        return Fields.u64(bytes, BOOT_BEG);
    }

    public long bootEnd() {
        return Fields.u64(bytes, BOOT_END);
    }

    public long auxBeg() {
        return Fields.u64(bytes, AUX_BEG);
    }

    public long auxEnd() {
        return Fields.u64(bytes, AUX_END);
    }

    /** Bytes of this volume. */
    public long voluSize() {
        return Fields.u64(bytes, VOLU_SIZE);
    }

    public int version() {
        return Fields.int32(bytes, VERSION);
    }

    public int flags() {
        return Fields.int32(bytes, FLAGS);
    }

    public int copyid() {
        return Fields.u8(bytes, COPYID);
    }

    public int freemapVersion() {
        return Fields.u8(bytes, FREEMAP_VERSION);
    }

    public int peerType() {
        return Fields.u8(bytes, PEER_TYPE);
    }

    /** 0 for the root volume. */
    public int voluId() {
        return Fields.u8(bytes, VOLU_ID);
    }

    /** Volumes of the file system; 0 in version 1. */
    public int nvolumes() {
        return Fields.u8(bytes, NVOLUMES);
    }

    public UUID fsid() {
        return MediaUuid.read(bytes, FSID);
    }

    public UUID fstype() {
        return MediaUuid.read(bytes, FSTYPE);
    }

    /** Bytes that can hold data (section 16.1). */
    public long allocatorSize() {
        return Fields.u64(bytes, ALLOCATOR_SIZE);
    }

    /** Free bytes (section 16.1). */
    public long allocatorFree() {
        return Fields.u64(bytes, ALLOCATOR_FREE);
    }

    /** Blocks below are never managed by the freemap. */
    public long allocatorBeg() {
        return Fields.u64(bytes, ALLOCATOR_BEG);
    }

    /** Transaction of the newest committed change (section 12). */
    public long mirrorTid() {
        return Fields.u64(bytes, MIRROR_TID);
    }

    /** Transaction up to which the freemap is complete (section 12). */
    public long freemapTid() {
        return Fields.u64(bytes, FREEMAP_TID);
    }

    public long bulkfreeTid() {
        return Fields.u64(bytes, BULKFREE_TID);
    }

    /** Bytes of all volumes; 0 in version 1. */
    public long totalSize() {
        return Fields.u64(bytes, TOTAL_SIZE);
    }

    /**
     * What the file system may hold that no version of the format has, a mask; 0 of every volume that nobody has asked it for. In a reserved
     * place, which other implementations leave as it is.
     */
    public int extensions() {
        return Fields.int32(bytes, EXTENSIONS_TAG) == EXTENSIONS_MAGIC ? Fields.int32(bytes, EXTENSIONS) : 0;
    }

    /** Bytes of the file system, whichever the version (section 2.5). */
    public long fileSystemBytes() {
        return version() == 1 ? voluSize() : totalSize();
    }

    /** Logical offset of volume {@code id}; all ones if there is none (version 2). */
    public long voluLoff(int id) {
        return Fields.u64(bytes, VOLU_LOFF + 8L * id);
    }

    /** A new view of the references to the super-root. */
    public BlockTable superRootBlockSet() {
        return BlockTable.of(bytes, SROOT_BLOCKSET, Limits.BLOCK_SET_COUNT);
    }

    /** A new view of the references to the root of the freemap. */
    public BlockTable freemapBlockSet() {
        return BlockTable.of(bytes, FREEMAP_BLOCKSET, Limits.BLOCK_SET_COUNT);
    }

    // What a formatter and a commit write.

    /** Everything zero but the magic. */
    public void clear() {
        bytes.fill((byte) 0);
        Fields.putLong(bytes, MAGIC_OFFSET, MAGIC);
    }

    /** Byte offsets; ends exclusive. */
    public void setAreas(long bootBeg, long bootEnd, long auxBeg, long auxEnd) {
        Fields.putLong(bytes, BOOT_BEG, bootBeg);
        Fields.putLong(bytes, BOOT_END, bootEnd);
        Fields.putLong(bytes, AUX_BEG, auxBeg);
        Fields.putLong(bytes, AUX_END, auxEnd);
    }

    public void setVoluSize(long sizeBytes) {
        Fields.putLong(bytes, VOLU_SIZE, sizeBytes);
    }

    public void setVersion(int version) {
        Fields.putInt(bytes, VERSION, version);
    }

    public void setPeerType(int peerType) {
        Fields.putByte(bytes, PEER_TYPE, peerType);
    }

    /** Version 2 only. */
    public void setVolumes(int voluId, int nvolumes, long totalSize) {
        Fields.putByte(bytes, VOLU_ID, voluId);
        Fields.putByte(bytes, NVOLUMES, nvolumes);
        Fields.putLong(bytes, TOTAL_SIZE, totalSize);
    }

    /** Of the whole file system; of volume 0 of version 1, which knows nothing of others, its own size only (section 15.4). */
    public void setOnlyVolumeSize(long sizeBytes) {
        setVoluSize(sizeBytes);
        if (version() != 1) {
            Fields.putLong(bytes, TOTAL_SIZE, sizeBytes);
        }
    }

    public void setFsid(UUID fsid) {
        MediaUuid.write(bytes, FSID, fsid);
    }

    public void setFstype(UUID fstype) {
        MediaUuid.write(bytes, FSTYPE, fstype);
    }

    public void setAllocator(long sizeBytes, long freeBytes, long begin) {
        Fields.putLong(bytes, ALLOCATOR_SIZE, sizeBytes);
        Fields.putLong(bytes, ALLOCATOR_FREE, freeBytes);
        Fields.putLong(bytes, ALLOCATOR_BEG, begin);
    }

    public void setTids(long mirrorTid, long freemapTid) {
        Fields.putLong(bytes, MIRROR_TID, mirrorTid);
        Fields.putLong(bytes, FREEMAP_TID, freemapTid);
    }

    /** {@link #extensions}; without any, the place stays as it is. */
    public void setExtensions(int mask) {
        if (mask != 0) {
            Fields.putInt(bytes, EXTENSIONS, mask);
            Fields.putInt(bytes, EXTENSIONS_TAG, EXTENSIONS_MAGIC);
        }
    }

    public void setVoluLoff(int id, long logicalOffset) {
        Fields.putLong(bytes, VOLU_LOFF + 8L * id, logicalOffset);
    }

    /**
     * Magic and the three CRCs.
     *
     * @return why this is not a valid header, or null when it is one
     */
    public String defect() {
        if (magic() == MAGIC_SWAPPED) {
            return "the byte order is that of the other endianness, which is not supported";
        }
        if (magic() != MAGIC) {
            return magic() == 0 && isZero()
                    ? ALL_ZERO
                    : "no HAMMER2 magic: expected " + Key.text(MAGIC) + ", found " + Key.text(magic());
        }
        String sector7 = crcDefect("sector 0", ICRC_SECT7, 0, SECTOR_BYTES - 4);
        if (sector7 != null) {
            return sector7;
        }
        String sector6 = crcDefect("sector 1", ICRC_SECT6, SROOT_BLOCKSET, SECTOR_BYTES);
        return sector6 != null ? sector6 : crcDefect("the whole header", ICRC_VOLHEADER, 0, ICRC_VOLHEADER);
    }

    /** Computes the three CRCs, in the order in which one covers another (section 3). */
    public void updateCrcs() {
        Fields.putInt(bytes, ICRC_SECT6, Fields.crc32c(bytes, SROOT_BLOCKSET, SECTOR_BYTES));
        Fields.putInt(bytes, ICRC_SECT7, Fields.crc32c(bytes, 0, SECTOR_BYTES - 4));
        Fields.putInt(bytes, ICRC_VOLHEADER, Fields.crc32c(bytes, 0, ICRC_VOLHEADER));
    }

    private String crcDefect(String what, int stored, long offset, long byteCount) {
        int expected = Fields.int32(bytes, stored);
        int found = Fields.crc32c(bytes, offset, byteCount);
        return expected == found ? null : String.format("CRC of %s: expected %08x, found %08x", what, expected, found);
    }

    private boolean isZero() {
        for (long i = 0; i < bytes.byteSize(); i += 8) {
            if (Fields.u64(bytes, i) != 0) {
                return false;
            }
        }
        return true;
    }
}
