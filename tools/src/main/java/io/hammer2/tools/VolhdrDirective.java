package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code volhdr}. */
@Command(
        name = "volhdr",
        description =
                "Dumps the volume headers of a device: the best copy, with -v all four. Their CRCs are always verified.")
final class VolhdrDirective extends Directive {
    @Parameters(paramLabel = "DEVICE", description = "Device or image; several volumes joined by ':'.")
    private String special;

    /** A line of the dump. */
    @FunctionalInterface
    private interface FieldSink {
        void field(String name, String value);
    }

    @Override
    void run() {
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        List<BlockDevice> devices = InspectedVolume.glanceAt(special);
        try {
            for (BlockDevice device : devices) {
                try (HeaderCopies copies = HeaderCopies.of(device)) {
                    show(device, copies, json);
                }
            }
        } finally {
            devices.forEach(InspectedVolume::closeQuietly);
        }
        if (json != null) {
            json.endArray();
        }
    }

    private void show(BlockDevice device, HeaderCopies copies, JsonWriter json) {
        if (json != null) {
            json.beginObject().member("device", device.name()).name("headers").beginArray();
        } else {
            out().println(device.name() + ": " + Size.text(device.sizeBytes()));
        }
        for (HeaderCopies.Copy copy : copies.copies()) {
            boolean best = copy.index() == copies.best();
            if (json != null) {
                write(json, copy, best);
            } else {
                print(copy, best);
            }
        }
        if (copies.copies().isEmpty()) {
            damage(device.name() + ": too small for a volume header");
        } else if (copies.best() < 0) {
            damage(device.name() + ": no valid HAMMER2 volume header");
        }
        if (json != null) {
            json.endArray().endObject();
        }
    }

    private void print(HeaderCopies.Copy copy, boolean best) {
        String state = copy.defect() == null ? "valid" : copy.defect();
        out().println(String.format(
                Locale.ROOT,
                "  copy %d at %#x: %s%s",
                copy.index(),
                VolumeHeader.copyOffset(copy.index()),
                state,
                best ? ", the newest" : ""));
        boolean wanted = best || parent().verbosity() > 0;
        if (wanted && copy.header() != null && copy.header().magic() == VolumeHeader.MAGIC) {
            fields(copy.header(), (name, value) -> out().println(String.format("    %-20s %s", name, value)));
            blockSet("sroot_blockset", copy.header().superRootBlockSet());
            blockSet("freemap_blockset", copy.header().freemapBlockSet());
        }
    }

    private void write(JsonWriter json, HeaderCopies.Copy copy, boolean best) {
        json.beginObject()
                .member("copy", copy.index())
                .member("offset", VolumeHeader.copyOffset(copy.index()))
                .member("valid", copy.defect() == null)
                .member("defect", copy.defect())
                .member("newest", best);
        if (copy.header() != null && copy.header().magic() == VolumeHeader.MAGIC) {
            json.name("fields").beginObject();
            fields(copy.header(), json::member);
            json.endObject();
        }
        json.endObject();
    }

    private static void fields(VolumeHeader header, FieldSink sink) {
        sink.field("magic", Key.text(header.magic()));
        sink.field("boot_beg", Key.text(header.bootBeg()));
        sink.field("boot_end", Key.text(header.bootEnd()));
        sink.field("aux_beg", Key.text(header.auxBeg()));
        sink.field("aux_end", Key.text(header.auxEnd()));
        sink.field("volu_size", Key.text(header.voluSize()));
        sink.field("version", Integer.toUnsignedString(header.version()));
        sink.field("flags", String.format("%08x", header.flags()));
        sink.field("copyid", Integer.toString(header.copyid()));
        sink.field("freemap_version", Integer.toString(header.freemapVersion()));
        sink.field("peer_type", Integer.toString(header.peerType()));
        sink.field("volu_id", Integer.toString(header.voluId()));
        sink.field("nvolumes", Integer.toString(header.nvolumes()));
        sink.field("fsid", header.fsid().toString());
        sink.field("fstype", header.fstype().toString());
        sink.field("allocator_size", Key.text(header.allocatorSize()));
        sink.field("allocator_free", Key.text(header.allocatorFree()));
        sink.field("allocator_beg", Key.text(header.allocatorBeg()));
        sink.field("mirror_tid", Key.text(header.mirrorTid()));
        sink.field("freemap_tid", Key.text(header.freemapTid()));
        sink.field("bulkfree_tid", Key.text(header.bulkfreeTid()));
        sink.field("total_size", Key.text(header.totalSize()));
        if (header.extensions() != 0) {
            sink.field("extensions", ExtensionText.of(header.extensions()));
        }
        for (int id = 0; id < Math.min(header.nvolumes(), Limits.VOLUMES_MAX); id++) {
            sink.field("volu_loff[" + id + "]", Key.text(header.voluLoff(id)));
        }
    }

    private void blockSet(String name, BlockTable table) {
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (table.isEmpty(slot)) {
                continue;
            }
            String text;
            try {
                text = table.ref(slot).toString();
            } catch (CorruptBlockException e) {
                text = e.getMessage();
            }
            out().println(String.format("    %-20s %s", name + "[" + slot + "]", text));
        }
    }
}
