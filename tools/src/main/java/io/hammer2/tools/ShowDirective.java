package io.hammer2.tools;

import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code show}: the tree of block references. A subtree that several PFSs share is shown once, which also bounds what a
 * hostile volume can make of this: no more lines than it has blocks.
 */
@Command(
        name = "show",
        description =
                "Dumps the tree of blocks of a device, one line for each block reference. With -v the check codes of data"
                        + " blocks are verified, too; with -vv their content is dumped, decompressed.")
final class ShowDirective extends Directive {
    private static final int DUMP_LINE_BYTES = 16;

    @Parameters(paramLabel = "DEVICE", description = "Device or image; several volumes joined by ':'.")
    private String special;

    private final OffsetSet seen = new OffsetSet();
    private InspectedVolume volume;
    private Decompressor decompressor;
    private MemorySegment logical;
    private JsonWriter json;

    @Override
    void run() {
        try (InspectedVolume opened = InspectedVolume.open(special);
                Decompressor codec = new Decompressor();
                Arena arena = Arena.ofConfined()) {
            volume = opened;
            decompressor = codec;
            logical = arena.allocate(Limits.BLOCK_BYTES_MAX);
            json = parent().isJson() ? json().beginArray() : null;
            if (json == null) {
                out().println(special + ": volume header copy "
                        + volume.volume().headerCopy() + ", transaction "
                        + Long.toUnsignedString(volume.header().mirrorTid()));
            }
            show(volume.volume().superRoot(), 0, null);
            if (json != null) {
                json.endArray();
            }
        }
    }

    /** @param entry the directory entry that {@code ref} is, or null */
    private void show(BlockRef ref, int depth, DirectoryEntry entry) {
        parent().console().endIfNobodyReads();
        try {
            ref.validate(volume.sizeBytes());
            switch (ref.type()) {
                case INODE -> showInode(ref, depth);
                case INDIRECT -> showIndirect(ref, depth);
                case DIRENT -> showEntry(ref, depth, entry);
                case DATA -> showData(ref, depth);
                case EMPTY, INVALID, FREEMAP_NODE, FREEMAP_LEAF ->
                    throw new CorruptBlockException(
                            ref,
                            "type of a block below the super-root",
                            "1..4",
                            ref.type().toString());
            }
        } catch (IOException | CorruptBlockException | CodecException e) {
            line(ref, depth, "", "DAMAGED: " + e.getMessage());
            damage(e instanceof CodecException ? e.getMessage() + " in " + ref : e.getMessage());
        }
    }

    private void showInode(BlockRef ref, int depth) throws IOException {
        boolean again = !seen.add(ref.offsetBytes());
        InodeBlock inode = ((InodeBlock) volume.load(ref)).validate();
        line(ref, depth, InodeText.summary(inode), again ? "shown above" : null);
        if (!again && inode.isDirectData() && parent().verbosity() > 1) {
            dump(inode.directData().asSlice(0, inode.sizeBytes()), 0);
        } else if (!again && !inode.isDirectData()) {
            showTable(inode.blockSet(), ref, depth);
        }
    }

    private void showIndirect(BlockRef ref, int depth) throws IOException {
        boolean again = !seen.add(ref.offsetBytes());
        if (again) {
            line(ref, depth, "", "shown above");
            return;
        }
        IndirectBlock indirect = (IndirectBlock) volume.load(ref);
        line(ref, depth, "", null);
        showTable(indirect.table(), ref, depth);
    }

    private void showTable(BlockTable table, BlockRef parentRef, int depth) {
        // The super-root and a PFS root stand above the indirect blocks of a tree.
        if (depth > 2 * Limits.TREE_DEPTH_MAX) {
            throw new CorruptBlockException(parentRef, "depth of a tree", "at most " + Limits.TREE_DEPTH_MAX, "more");
        }
        BlockTable valid;
        try {
            valid = table.validate(volume.sizeBytes());
        } catch (CorruptBlockException e) {
            throw e.at(parentRef);
        }
        for (int slot = 0; slot < valid.entryCount(); slot++) {
            BlockRef ref = valid.ref(slot);
            show(ref, depth + 1, ref.type() == BlockType.DIRENT ? DirectoryEntry.of(valid, slot) : null);
        }
    }

    private void showEntry(BlockRef ref, int depth, DirectoryEntry entry) throws IOException {
        entry.validate();
        MemorySegment name = entry.isNameEmbedded()
                ? entry.embeddedName()
                : volume.load(ref).bytes().asSlice(0, entry.nameBytes());
        line(
                ref,
                depth,
                "\"" + NameText.of(name.toArray(ValueLayout.JAVA_BYTE)) + "\" inum "
                        + Long.toUnsignedString(entry.inum()) + " " + InodeText.type(entry.objectTypeCode()),
                null);
    }

    private void showData(BlockRef ref, int depth) throws IOException {
        if (parent().verbosity() == 0) {
            line(ref, depth, "", null);
            return;
        }
        MemorySegment stored = volume.read(ref);
        String defect = InspectedVolume.defect(ref, stored);
        if (defect != null) {
            throw new CorruptBlockException(ref, "block", "one that matches its check code", defect);
        }
        line(ref, depth, "", "verified");
        if (parent().verbosity() > 1) {
            int length = decompressor.decompress(Compression.of(ref.compressionMethod()), stored, logical);
            dump(logical.asSlice(0, length), ref.key());
        }
    }

    private void line(BlockRef ref, int depth, String content, String state) {
        if (json != null) {
            write(ref, depth, content, state);
            return;
        }
        String place =
                ref.radix() == 0 ? "-" : String.format(Locale.ROOT, "%x/%d", ref.offsetBytes(), ref.storedBytes());
        out().println("  ".repeat(depth + 1)
                + String.format(
                        Locale.ROOT,
                        "%s %s/%d at %s %s %s mirror %x modify %x%s",
                        ref.type(),
                        Key.text(ref.key()),
                        ref.keybits(),
                        place,
                        InodeText.check(ref.checkMethod()),
                        InodeText.compression(ref.compressionMethod()),
                        ref.mirrorTid(),
                        ref.modifyTid(),
                        counters(ref))
                + (content.isEmpty() ? "" : " " + content)
                + (state == null ? "" : " [" + state + "]"));
    }

    private static String counters(BlockRef ref) {
        return ref.type() == BlockType.INODE || ref.type() == BlockType.INDIRECT
                ? " data " + Long.toUnsignedString(ref.dataCount()) + " inodes "
                        + Long.toUnsignedString(ref.inodeCount())
                : "";
    }

    private void write(BlockRef ref, int depth, String content, String state) {
        json.beginObject()
                .member("depth", depth)
                .member("type", ref.type().toString())
                .member("key", Key.text(ref.key()))
                .member("keybits", ref.keybits())
                .member("offset", Key.text(ref.offsetBytes()))
                .member("radix", ref.radix())
                .member("check", InodeText.check(ref.checkMethod()))
                .member("compression", InodeText.compression(ref.compressionMethod()));
        json.name("mirrorTid").unsigned(ref.mirrorTid());
        json.name("modifyTid").unsigned(ref.modifyTid());
        if (ref.type() == BlockType.INODE || ref.type() == BlockType.INDIRECT) {
            json.name("dataCount").unsigned(ref.dataCount());
            json.name("inodeCount").unsigned(ref.inodeCount());
        }
        if (!content.isEmpty()) {
            json.member("content", content);
        }
        if (state != null) {
            json.member("state", state);
        }
        json.endObject();
    }

    /** Offset in the file, bytes, characters. Nothing in JSON, where nobody could read it. */
    private void dump(MemorySegment bytes, long fileOffset) {
        if (json != null) {
            return;
        }
        for (long at = 0; at < bytes.byteSize(); at += DUMP_LINE_BYTES) {
            StringBuilder hex = new StringBuilder();
            StringBuilder text = new StringBuilder();
            for (long i = at; i < Math.min(at + DUMP_LINE_BYTES, bytes.byteSize()); i++) {
                int b = bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
                hex.append(Character.forDigit(b >> 4, 16))
                        .append(Character.forDigit(b & 15, 16))
                        .append(' ');
                text.append(b >= ' ' && b < 0x7F ? (char) b : '.');
            }
            out().println(String.format(
                    Locale.ROOT, "        %012x  %-" + 3 * DUMP_LINE_BYTES + "s |%s|", fileOffset + at, hex, text));
        }
    }
}
