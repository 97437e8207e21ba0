package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * An inode: 256 bytes of attributes, 256 of name, and 512 of file content or of four block references (section 8.1). A view.
 *
 * <pre>
 * 000 version (2)  002 reserved  003 pfs_subtype  004 uflags (4)  008 rmajor (4)  00c rminor (4)
 * 010 ctime  018 mtime  020 atime  028 btime                      (microseconds since 1970, unsigned)
 * 030 uid (16)  040 gid (16)                                      (id in the last four bytes, section 8.4)
 * 050 type  051 op_flags  052 cap_flags (2)  054 mode (4)  058 inum  060 size  068 nlinks  070 iparent  078 name_key
 * 080 name_len (2)  082 ncopies  083 comp_algo  084 unused  085 check_algo  086 pfs_nmasters  087 pfs_type  088 pfs_inum
 * 090 pfs_clid (16)  0a0 pfs_fsid (16)  0b0 data_quota  0c0 inode_quota  0d0 pfs_lsnap_tid  0e0 decrypt_check
 * 100 filename (256)
 * 200 content or block set (512)
 * </pre>
 */
public record InodeBlock(MemorySegment bytes) implements Block {
    /** {@link #opFlags}: the last 512 bytes are file content. */
    public static final int OP_DIRECTDATA = 0x01;

    /** {@link #opFlags}: root of a PFS. */
    public static final int OP_PFSROOT = 0x02;

    /** Inode number of the root directory of every PFS (section 8.3). */
    public static final long ROOT_INUM = 1;

    /** First number of an ordinary inode (section 8.3). */
    public static final long FIRST_ORDINARY_INUM = 1024;

    /** {@link #version} of every inode. */
    public static final int VERSION = 1;

    private static final int VERSION_OFFSET = 0x000;
    private static final int PFS_SUBTYPE = 0x003;
    private static final int UFLAGS = 0x004;
    private static final int RMAJOR = 0x008;
    private static final int RMINOR = 0x00C;
    private static final int CTIME = 0x010;
    private static final int MTIME = 0x018;
    private static final int ATIME = 0x020;
    private static final int BTIME = 0x028;
    private static final int UID = 0x030 + 12;
    private static final int GID = 0x040 + 12;
    private static final int TYPE = 0x050;
    private static final int OP_FLAGS = 0x051;
    private static final int CAP_FLAGS = 0x052;
    private static final int MODE = 0x054;
    private static final int INUM = 0x058;
    private static final int SIZE = 0x060;
    private static final int NLINKS = 0x068;
    private static final int IPARENT = 0x070;
    private static final int NAME_KEY = 0x078;
    private static final int NAME_LEN = 0x080;
    private static final int NCOPIES = 0x082;
    private static final int COMP_ALGO = 0x083;
    private static final int CHECK_ALGO = 0x085;
    private static final int PFS_NMASTERS = 0x086;
    private static final int PFS_TYPE = 0x087;
    private static final int PFS_INUM = 0x088;
    private static final int PFS_CLID = 0x090;
    private static final int PFS_FSID = 0x0A0;
    private static final int DATA_QUOTA = 0x0B0;
    private static final int INODE_QUOTA = 0x0C0;
    private static final int PFS_LSNAP_TID = 0x0D0;
    private static final int FILENAME = 0x100;
    private static final int FILENAME_BYTES = 256;
    private static final int CONTENT = 0x200;
    private static final int MODE_BITS = 07777;

    /** The name that an ordinary inode has (section 8.1); nothing looks at it. */
    public static byte[] nameOf(long inum) {
        return ("0x" + Key.text(inum)).getBytes(StandardCharsets.US_ASCII);
    }

    public int version() {
        return Fields.u16(bytes, VERSION_OFFSET);
    }

    /** PFS roots: 0 none, 1 snapshot, 2 automatic snapshot. */
    public int pfsSubtype() {
        return Fields.u8(bytes, PFS_SUBTYPE);
    }

    /** chflags(2) bits, BSD values. */
    public int uflags() {
        return Fields.int32(bytes, UFLAGS);
    }

    public int rmajor() {
        return Fields.int32(bytes, RMAJOR);
    }

    public int rminor() {
        return Fields.int32(bytes, RMINOR);
    }

    public long ctimeMicros() {
        return Fields.u64(bytes, CTIME);
    }

    public long mtimeMicros() {
        return Fields.u64(bytes, MTIME);
    }

    /** Not maintained by DragonFly, usually 0. */
    public long atimeMicros() {
        return Fields.u64(bytes, ATIME);
    }

    /** 0 for inodes made by DragonFly, except those of newfs. */
    public long btimeMicros() {
        return Fields.u64(bytes, BTIME);
    }

    public int uid() {
        return Fields.int32(bytes, UID);
    }

    public int gid() {
        return Fields.int32(bytes, GID);
    }

    /** @throws CorruptBlockException for a type that the format does not define */
    public FileType type() {
        return FileType.of(typeCode());
    }

    public int typeCode() {
        return Fields.u8(bytes, TYPE);
    }

    public int opFlags() {
        return Fields.u8(bytes, OP_FLAGS);
    }

    public boolean isDirectData() {
        return (opFlags() & OP_DIRECTDATA) != 0;
    }

    public boolean isPfsRoot() {
        return (opFlags() & OP_PFSROOT) != 0;
    }

    public int capFlags() {
        return Fields.u16(bytes, CAP_FLAGS);
    }

    /** Permission bits 07777. */
    public int mode() {
        return Fields.int32(bytes, MODE) & MODE_BITS;
    }

    public long inum() {
        return Fields.u64(bytes, INUM);
    }

    /** Bytes; 0 for directories and special files. */
    public long sizeBytes() {
        return Fields.u64(bytes, SIZE);
    }

    public long nlinks() {
        return Fields.u64(bytes, NLINKS);
    }

    /** Inode number of the directory that holds this; 1 for the PFS root. */
    public long iparent() {
        return Fields.u64(bytes, IPARENT);
    }

    public long nameKey() {
        return Fields.u64(bytes, NAME_KEY);
    }

    public int nameBytes() {
        return Fields.u16(bytes, NAME_LEN);
    }

    public int ncopies() {
        return Fields.u8(bytes, NCOPIES);
    }

    /** Compression of new blocks: method in the low nibble, level in the high one (section 4.2). */
    public int compAlgo() {
        return Fields.u8(bytes, COMP_ALGO);
    }

    /** Check method of new blocks, in the low nibble (section 4.2). */
    public int checkAlgo() {
        return Fields.u8(bytes, CHECK_ALGO);
    }

    public int pfsNmasters() {
        return Fields.u8(bytes, PFS_NMASTERS);
    }

    /** @throws CorruptBlockException for a role that the format does not define */
    public PfsType pfsType() {
        return PfsType.of(pfsTypeCode());
    }

    public int pfsTypeCode() {
        return Fields.u8(bytes, PFS_TYPE);
    }

    /** PFS roots: state of the inode number allocator (section 8.3). */
    public long pfsInum() {
        return Fields.u64(bytes, PFS_INUM);
    }

    public UUID pfsClid() {
        return MediaUuid.read(bytes, PFS_CLID);
    }

    public UUID pfsFsid() {
        return MediaUuid.read(bytes, PFS_FSID);
    }

    public long dataQuota() {
        return Fields.u64(bytes, DATA_QUOTA);
    }

    public long inodeQuota() {
        return Fields.u64(bytes, INODE_QUOTA);
    }

    /** PFS roots: modify_tid of the last snapshot (section 15.1). */
    public long pfsLsnapTid() {
        return Fields.u64(bytes, PFS_LSNAP_TID);
    }

    /** The name in the inode: of a PFS root its label, of others their inode number as text; bytes, after {@link #validate}. */
    public byte[] name() {
        return Fields.bytes(bytes, FILENAME, nameBytes());
    }

    /** Content of a file with {@link #isDirectData}, {@link #sizeBytes} bytes. */
    public MemorySegment directData() {
        return bytes.asSlice(CONTENT, Limits.DIRECT_DATA_BYTES);
    }

    /** A new view of the four references of an inode without {@link #isDirectData}. */
    public BlockTable blockSet() {
        return BlockTable.of(bytes, CONTENT, Limits.BLOCK_SET_COUNT);
    }

    // What a formatter and an inode's owner write.

    public void setVersion(int version) {
        Fields.putShort(bytes, VERSION_OFFSET, version);
    }

    /** Microseconds since 1970. */
    public void setTimes(long ctimeMicros, long mtimeMicros, long atimeMicros, long btimeMicros) {
        Fields.putLong(bytes, CTIME, ctimeMicros);
        Fields.putLong(bytes, MTIME, mtimeMicros);
        Fields.putLong(bytes, ATIME, atimeMicros);
        Fields.putLong(bytes, BTIME, btimeMicros);
    }

    public void setType(FileType type) {
        Fields.putByte(bytes, TYPE, type.code());
    }

    public void setOpFlags(int opFlags) {
        Fields.putByte(bytes, OP_FLAGS, opFlags);
    }

    /** @param mode permission bits 07777 */
    public void setMode(int mode) {
        Fields.putInt(bytes, MODE, mode & MODE_BITS);
    }

    public void setInum(long inum) {
        Fields.putLong(bytes, INUM, inum);
    }

    public void setNlinks(long nlinks) {
        Fields.putLong(bytes, NLINKS, nlinks);
    }

    /** @param name at most 256 bytes */
    public void setName(byte[] name, long nameKey) {
        MemorySegment field = bytes.asSlice(FILENAME, FILENAME_BYTES);
        field.fill((byte) 0);
        field.copyFrom(MemorySegment.ofArray(name));
        Fields.putShort(bytes, NAME_LEN, name.length);
        Fields.putLong(bytes, NAME_KEY, nameKey);
    }

    public void setAlgorithms(int compAlgo, int checkAlgo) {
        Fields.putByte(bytes, COMP_ALGO, compAlgo);
        Fields.putByte(bytes, CHECK_ALGO, checkAlgo);
    }

    public void setPfs(PfsType type, long pfsInum, UUID clid, UUID fsid) {
        Fields.putByte(bytes, PFS_TYPE, type.code());
        Fields.putLong(bytes, PFS_INUM, pfsInum);
        MediaUuid.write(bytes, PFS_CLID, clid);
        MediaUuid.write(bytes, PFS_FSID, fsid);
    }

    /** @param subtype 0 none, 1 snapshot, 2 automatic snapshot */
    public void setPfsSubtype(int subtype) {
        Fields.putByte(bytes, PFS_SUBTYPE, subtype);
    }

    /** @param modifyTid of the last snapshot (section 15.1) */
    public void setPfsLsnapTid(long modifyTid) {
        Fields.putLong(bytes, PFS_LSNAP_TID, modifyTid);
    }

    public void setBtimeMicros(long micros) {
        Fields.putLong(bytes, BTIME, micros);
    }

    public void setCtimeMicros(long micros) {
        Fields.putLong(bytes, CTIME, micros);
    }

    public void setMtimeMicros(long micros) {
        Fields.putLong(bytes, MTIME, micros);
    }

    public void setAtimeMicros(long micros) {
        Fields.putLong(bytes, ATIME, micros);
    }

    public void setOwner(int uid, int gid) {
        Fields.putInt(bytes, UID, uid);
        Fields.putInt(bytes, GID, gid);
    }

    /** @param uflags chflags(2) bits, BSD values */
    public void setUflags(int uflags) {
        Fields.putInt(bytes, UFLAGS, uflags);
    }

    public void setDevice(int rmajor, int rminor) {
        Fields.putInt(bytes, RMAJOR, rmajor);
        Fields.putInt(bytes, RMINOR, rminor);
    }

    public void setSizeBytes(long sizeBytes) {
        Fields.putLong(bytes, SIZE, sizeBytes);
    }

    public void setIparent(long inum) {
        Fields.putLong(bytes, IPARENT, inum);
    }

    public void setPfsInum(long inum) {
        Fields.putLong(bytes, PFS_INUM, inum);
    }

    /** Puts the references of a packed table of at most four slots in the place of the content. */
    public void setBlockSet(BlockTable table) {
        MemorySegment content = bytes.asSlice(CONTENT, Limits.DIRECT_DATA_BYTES);
        content.fill((byte) 0);
        for (int slot = 0; slot < table.entryCount(); slot++) {
            table.ref(slot).write(content, (long) slot * BlockRef.BYTES);
        }
    }

    /**
     * Refuses what cannot be interpreted or computed with.
     *
     * @throws CorruptBlockException naming the broken rule
     */
    public InodeBlock validate() {
        require(version() == VERSION, "version of an inode", "1", version());
        FileType type = type();
        require(nameBytes() <= FILENAME_BYTES, "length of an inode's name", "0..256", nameBytes());
        require(sizeBytes() >= 0, "size of a file", "0..2^63-1", Long.toUnsignedString(sizeBytes()));
        if (isDirectData()) {
            require(type.hasData(), "type of an inode with direct data", "2 or 7", type.code());
            require(
                    sizeBytes() <= Limits.DIRECT_DATA_BYTES,
                    "size of a file with direct data",
                    "0..512",
                    Long.toString(sizeBytes()));
        }
        return this;
    }

    private static void require(boolean condition, String what, String expected, int found) {
        require(condition, what, expected, Integer.toString(found));
    }

    private static void require(boolean condition, String what, String expected, String found) {
        if (!condition) {
            throw new CorruptBlockException(null, what, expected, found);
        }
    }
}
