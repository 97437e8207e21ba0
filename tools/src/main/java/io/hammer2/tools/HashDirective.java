package io.hammer2.tools;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Hashes of names: {@code hash} prints the directory hash key (format section 10.2), {@code dhash} also the data hash. */
abstract sealed class HashDirective extends Directive {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Parameters(paramLabel = "NAME", arity = "1..*", description = "Names to hash.")
    private List<String> names;

    private final boolean withDataHash;

    private HashDirective(boolean withDataHash) {
        this.withDataHash = withDataHash;
    }

    /** {@code hash}. */
    @Command(name = "hash", description = "Prints the directory hash key of names.")
    static final class Hash extends HashDirective {
        Hash() {
            super(false);
        }
    }

    /** {@code dhash}. */
    @Command(
            name = "dhash",
            description =
                    "Prints the directory hash key of names, and the hash (XXH64) that a block holding only the name has.")
    static final class DataHash extends HashDirective {
        DataHash() {
            super(true);
        }
    }

    @Override
    void run() {
        if (parent().isJson()) {
            JsonWriter json = json().beginArray();
            for (String name : names) {
                byte[] bytes = bytes(name);
                json.beginObject().member("name", NameText.of(bytes)).member("hash", Key.text(hash(bytes)));
                if (withDataHash) {
                    json.member("dataHash", Key.text(dataHash(bytes)));
                }
                json.endObject();
            }
            json.endArray();
            return;
        }
        for (String name : names) {
            byte[] bytes = bytes(name);
            String data = withDataHash ? " " + Key.text(dataHash(bytes)) : "";
            out().println(Key.text(hash(bytes)) + data + " " + NameText.of(bytes));
        }
    }

    /** What a name given on the command line is on the medium. */
    private static byte[] bytes(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length < 1 || bytes.length > Limits.NAME_BYTES_MAX) {
            throw new ToolException("a name has 1 to " + Limits.NAME_BYTES_MAX + " bytes, not " + bytes.length);
        }
        return bytes;
    }

    private static long hash(byte[] name) {
        return DirectoryHash.of(MemorySegment.ofArray(name));
    }

    /** Of the block of 1 KiB that holds a name which is too long for its directory entry. */
    private static long dataHash(byte[] name) {
        MemorySegment block = MemorySegment.ofArray(new byte[1 << Limits.RADIX_MIN]);
        MemorySegment.copy(name, 0, block, ValueLayout.JAVA_BYTE, 0, name.length);
        MemorySegment area = MemorySegment.ofArray(new byte[CheckCode.AREA_BYTES]);
        CheckCode.XXHASH64.store(block, area);
        return area.get(LONG, 0);
    }
}
