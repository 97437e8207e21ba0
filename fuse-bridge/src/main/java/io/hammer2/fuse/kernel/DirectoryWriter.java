package io.hammer2.fuse.kernel;

import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.NodeAttributes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes directory entries as the records of READDIR or READDIRPLUS. The attributes of the latter are filled in afterwards, one
 * record after another, because whoever lists a directory must not be called back for its children meanwhile.
 */
final class DirectoryWriter implements DirectorySink {
    /** The longest name that the kernel takes in a record. */
    private static final int NAME_BYTES_MAX = 1024;

    private final MemorySegment answer;
    private int capacityBytes;
    private boolean plus;
    private int bytes;

    DirectoryWriter(MemorySegment answer) {
        this.answer = answer;
    }

    /** @param withAttributes room is kept for an entry_out before each record */
    DirectoryWriter begin(int capacity, boolean withAttributes) {
        this.capacityBytes = capacity;
        this.plus = withAttributes;
        this.bytes = 0;
        return this;
    }

    int bytes() {
        return bytes;
    }

    @Override
    public boolean entry(long node, int typeBits, MemorySegment name, long nextCookie) {
        long nameBytes = name.byteSize();
        if (!listable(name, nameBytes)) {
            return true;
        }
        int head = plus ? Wire.EntryOut.BYTES : 0;
        int recordBytes = head + Wire.align8(Wire.Dirent.NAME + (int) nameBytes);
        if (bytes + recordBytes > capacityBytes) {
            return false;
        }
        int record = bytes + head;
        if (plus) {
            // Node 0: the kernel takes the record as one without attributes, which it stays if they cannot be had.
            Wire.zero(answer, bytes, Wire.EntryOut.BYTES);
        }
        Wire.putLong(answer, record + Wire.Dirent.INO, node);
        Wire.putLong(answer, record + Wire.Dirent.OFF, nextCookie);
        Wire.putInt(answer, record + Wire.Dirent.NAME_BYTES, (int) nameBytes);
        Wire.putInt(answer, record + Wire.Dirent.TYPE, (typeBits & NodeAttributes.TYPE_MASK) >>> 12);
        // The padding goes to the kernel, and from there to the user: it must hold nothing of an earlier answer.
        Wire.putLong(answer, bytes + recordBytes - 8, 0);
        MemorySegment.copy(name, 0, answer, record + Wire.Dirent.NAME, nameBytes);
        bytes += recordBytes;
        return true;
    }

    /**
     * Whether the kernel would take the name. It refuses a whole listing for one record with a slash in it, so such a name of a
     * hostile directory is left out instead.
     */
    private static boolean listable(MemorySegment name, long nameBytes) {
        if (nameBytes == 0 || nameBytes > NAME_BYTES_MAX) {
            return false;
        }
        for (long i = 0; i < nameBytes; i++) {
            byte b = name.get(ValueLayout.JAVA_BYTE, i);
            if (b == '/' || b == 0) {
                return false;
            }
        }
        return true;
    }

    /** @return the offset of the record after {@code record}, both in bytes from the start of the answer */
    int next(int record) {
        int dirent = record + Wire.EntryOut.BYTES;
        return dirent + Wire.align8(Wire.Dirent.NAME + Wire.getInt(answer, dirent + Wire.Dirent.NAME_BYTES));
    }

    /** Node of a READDIRPLUS record; 0 for {@code "."} and {@code ".."}, whose attributes the kernel does not want. */
    long node(int record) {
        int dirent = record + Wire.EntryOut.BYTES;
        int nameBytes = Wire.getInt(answer, dirent + Wire.Dirent.NAME_BYTES);
        int name = dirent + Wire.Dirent.NAME;
        boolean dots = nameBytes <= 2
                && answer.get(ValueLayout.JAVA_BYTE, name) == '.'
                && (nameBytes == 1 || answer.get(ValueLayout.JAVA_BYTE, name + 1) == '.');
        return dots ? 0 : Wire.getLong(answer, dirent + Wire.Dirent.INO);
    }
}
