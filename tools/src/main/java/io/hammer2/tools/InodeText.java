package io.hammer2.tools;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.NameText;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** Fields of inodes as text. */
final class InodeText {
    private static final int NIBBLE = 0x0F;

    static String type(int code) {
        FileType type = FileType.ofOrNull(code);
        return type == null
                ? "type " + code
                : type.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** As the commands set it: {@code zlib:6}. */
    static String compression(int compAlgo) {
        int method = compAlgo & NIBBLE;
        String name = Compression.isKnown(method)
                ? Compression.of(method).name().toLowerCase(Locale.ROOT)
                : "method" + method;
        return compAlgo >> 4 == 0 ? name : name + ":" + (compAlgo >> 4);
    }

    static String check(int checkAlgo) {
        int method = checkAlgo & NIBBLE;
        return CheckCode.isKnown(method) ? CheckCode.of(method).name().toLowerCase(Locale.ROOT) : "method" + method;
    }

    /** UTC with microseconds, as the medium has it. */
    static String time(long micros) {
        if (micros < 0) {
            return Long.toUnsignedString(micros) + " us";
        }
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS).toString();
    }

    /** The few words that a dump of a tree has room for. */
    static String summary(InodeBlock inode) {
        return String.format(
                Locale.ROOT,
                "inum %d %s mode %04o uid %d gid %d nlinks %s size %s %s %s%s \"%s\"",
                inode.inum(),
                type(inode.typeCode()),
                inode.mode(),
                Integer.toUnsignedLong(inode.uid()),
                Integer.toUnsignedLong(inode.gid()),
                Long.toUnsignedString(inode.nlinks()),
                Long.toUnsignedString(inode.sizeBytes()),
                compression(inode.compAlgo()),
                check(inode.checkAlgo()),
                inode.isPfsRoot()
                        ? " pfs " + PfsTypeText.of(inode.pfsTypeCode(), inode.pfsSubtype())
                        : inode.isDirectData() ? " directdata" : "",
                name(inode));
    }

    static String name(InodeBlock inode) {
        return inode.nameBytes() > 256 ? "(impossible length)" : NameText.of(inode.name());
    }

    /** Takes the fields of an inode, one by one. */
    @FunctionalInterface
    interface Sink {
        void field(String name, String value);
    }

    /** Every field, in the order of the medium. */
    static void fields(InodeBlock inode, Sink sink) {
        sink.field("version", Integer.toString(inode.version()));
        sink.field("pfs_subtype", Integer.toString(inode.pfsSubtype()));
        sink.field("uflags", String.format("0x%x", inode.uflags()));
        sink.field("rmajor", Integer.toUnsignedString(inode.rmajor()));
        sink.field("rminor", Integer.toUnsignedString(inode.rminor()));
        sink.field("ctime", time(inode.ctimeMicros()));
        sink.field("mtime", time(inode.mtimeMicros()));
        sink.field("atime", time(inode.atimeMicros()));
        sink.field("btime", time(inode.btimeMicros()));
        sink.field("uid", Integer.toUnsignedString(inode.uid()));
        sink.field("gid", Integer.toUnsignedString(inode.gid()));
        sink.field("type", type(inode.typeCode()));
        sink.field("op_flags", opFlags(inode.opFlags()));
        sink.field("cap_flags", String.format("0x%x", inode.capFlags()));
        sink.field("mode", String.format("%04o", inode.mode()));
        sink.field("inum", Long.toUnsignedString(inode.inum()));
        sink.field("size", Long.toUnsignedString(inode.sizeBytes()));
        sink.field("nlinks", Long.toUnsignedString(inode.nlinks()));
        sink.field("iparent", Long.toUnsignedString(inode.iparent()));
        sink.field("name_key", String.format("%016x", inode.nameKey()));
        sink.field("name", name(inode));
        sink.field("ncopies", Integer.toString(inode.ncopies()));
        sink.field("comp_algo", compression(inode.compAlgo()));
        sink.field("check_algo", check(inode.checkAlgo()));
        if (inode.isPfsRoot()) {
            sink.field("pfs_nmasters", Integer.toString(inode.pfsNmasters()));
            sink.field("pfs_type", PfsTypeText.of(inode.pfsTypeCode(), inode.pfsSubtype()));
            sink.field("pfs_inum", Long.toUnsignedString(inode.pfsInum()));
            sink.field("pfs_clid", inode.pfsClid().toString());
            sink.field("pfs_fsid", inode.pfsFsid().toString());
            sink.field("pfs_lsnap_tid", Long.toUnsignedString(inode.pfsLsnapTid()));
        }
        sink.field("data_quota", Long.toUnsignedString(inode.dataQuota()));
        sink.field("inode_quota", Long.toUnsignedString(inode.inodeQuota()));
    }

    private static String opFlags(int flags) {
        String names = ((flags & InodeBlock.OP_DIRECTDATA) != 0 ? " directdata" : "")
                + ((flags & InodeBlock.OP_PFSROOT) != 0 ? " pfsroot" : "");
        return String.format("0x%x%s", flags, names);
    }

    private InodeText() {}
}
