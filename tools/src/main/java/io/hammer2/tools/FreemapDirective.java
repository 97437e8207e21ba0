package io.hammer2.tools;

import io.hammer2.fs.media.Block;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapNode;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code freemap}. */
@Command(
        name = "freemap",
        description = "Shows the space map of a device. Each GiB has a letter for each of its 256 segments of 4 MiB:",
        footer = {
            "  R  reserved for headers and freemap    .  free",
            "  1 to 9  so many tenths in use          #  full",
            "With -v each segment that is in use has a line: class, packing position, free bytes, and how many of its",
            "256 granules of 16 KiB are allocated and staged for release."
        })
final class FreemapDirective extends Directive {
    /** Levels of freemap nodes above a leaf (format section 6.1). */
    private static final int NODE_LEVELS_MAX = 4;

    private static final int SEGMENTS_PER_LINE = 64;

    @Parameters(paramLabel = "DEVICE", description = "Device or image; several volumes joined by ':'.")
    private String special;

    private JsonWriter json;
    private long freeGranules;
    private long stagedGranules;
    private long allocatedGranules;

    @Override
    void run() {
        try (InspectedVolume volume = InspectedVolume.open(special)) {
            json = parent().isJson() ? json().beginObject() : null;
            if (json != null) {
                json.member("device", special)
                        .member("allocatorSize", volume.header().allocatorSize())
                        .member("allocatorFree", volume.header().allocatorFree())
                        .name("leaves")
                        .beginArray();
            } else {
                out().println(special + ": " + Size.text(volume.header().allocatorFree()) + " free of "
                        + Size.text(volume.header().allocatorSize()) + " by the volume header");
            }
            try {
                walk(volume, volume.header().freemapBlockSet().validate(volume.sizeBytes()), 0);
            } catch (CorruptBlockException e) {
                damage("freemap: " + e.getMessage());
            }
            long granule = Limits.FREEMAP_GRANULE_BYTES;
            if (json != null) {
                json.endArray()
                        .member("freeBytes", freeGranules * granule)
                        .member("stagedBytes", stagedGranules * granule)
                        .member("allocatedBytes", allocatedGranules * granule)
                        .endObject();
            } else {
                out().println("total: " + Size.text(freeGranules * granule) + " free, "
                        + Size.text(stagedGranules * granule) + " staged, " + Size.text(allocatedGranules * granule)
                        + " allocated; what has no leaf yet is free");
            }
        }
    }

    private void walk(InspectedVolume volume, BlockTable table, int level) {
        for (int slot = 0; slot < table.entryCount(); slot++) {
            BlockRef ref = table.ref(slot);
            try {
                Block block = volume.load(ref);
                switch (block) {
                    case FreemapNode node -> {
                        if (json == null) {
                            out().println("node " + describe(ref));
                        }
                        if (level >= NODE_LEVELS_MAX) {
                            throw new CorruptBlockException(ref, "depth of the freemap", "at most 5 levels", "more");
                        }
                        walk(volume, node.table().validate(volume.sizeBytes()), level + 1);
                    }
                    case FreemapLeaf leaf -> show(ref, leaf);
                    default -> damage("freemap: a block of another kind: " + ref);
                }
            } catch (IOException | CorruptBlockException e) {
                damage("freemap: " + e.getMessage());
            }
            parent().console().endIfNobodyReads();
        }
    }

    private static String describe(BlockRef ref) {
        return String.format(
                Locale.ROOT,
                "%s/%d at %s, transaction %s",
                Key.text(ref.key()),
                ref.keybits(),
                Key.text(ref.offsetBytes()),
                Long.toUnsignedString(ref.mirrorTid()));
    }

    private void show(BlockRef ref, FreemapLeaf leaf) {
        Count[] counts = new Count[FreemapLeaf.SEGMENT_COUNT];
        Count total = Count.NONE;
        for (int segment = 0; segment < counts.length; segment++) {
            counts[segment] = Count.of(leaf, segment);
            total = total.plus(counts[segment]);
        }
        freeGranules += total.free;
        stagedGranules += total.staged;
        allocatedGranules += total.allocated;
        if (json != null) {
            write(ref, leaf, counts);
        } else {
            print(ref, leaf, counts, total);
        }
    }

    private void print(BlockRef ref, FreemapLeaf leaf, Count[] counts, Count total) {
        long granule = Limits.FREEMAP_GRANULE_BYTES;
        out().println("leaf " + describe(ref) + ": " + Size.text(total.free * granule) + " free, "
                + Size.text(total.staged * granule) + " staged");
        for (int from = 0; from < counts.length; from += SEGMENTS_PER_LINE) {
            StringBuilder line = new StringBuilder();
            for (int segment = from; segment < from + SEGMENTS_PER_LINE; segment++) {
                line.append(counts[segment].letter(segment));
            }
            out().println("    " + Key.text(ref.key() + (long) from * Limits.FREEMAP_SEGMENT_BYTES) + " " + line);
        }
        if (parent().verbosity() > 0) {
            for (int segment = 0; segment < counts.length; segment++) {
                if (leaf.allocationClass(segment) != 0) {
                    out().println(String.format(
                            Locale.ROOT,
                            "    %s class %04x linear %06x avail %06x allocated %d staged %d",
                            Key.text(ref.key() + (long) segment * Limits.FREEMAP_SEGMENT_BYTES),
                            leaf.allocationClass(segment),
                            leaf.linear(segment),
                            leaf.availBytes(segment),
                            counts[segment].allocated,
                            counts[segment].staged));
                }
            }
        }
    }

    private void write(BlockRef ref, FreemapLeaf leaf, Count[] counts) {
        json.beginObject()
                .member("key", Key.text(ref.key()))
                .member("offset", Key.text(ref.offsetBytes()))
                .name("mirrorTid")
                .unsigned(ref.mirrorTid())
                .name("segments")
                .beginArray();
        for (int segment = 0; segment < counts.length; segment++) {
            json.beginObject()
                    .member("class", leaf.allocationClass(segment))
                    .member("linear", leaf.linear(segment))
                    .member("avail", leaf.availBytes(segment))
                    .member("allocated", counts[segment].allocated)
                    .member("staged", counts[segment].staged)
                    .endObject();
        }
        json.endArray().endObject();
    }

    /** Granules of a segment by their state. */
    private record Count(int free, int staged, int allocated) {
        private static final Count NONE = new Count(0, 0, 0);

        static Count of(FreemapLeaf leaf, int segment) {
            int free = 0;
            int staged = 0;
            for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                switch (leaf.granule(segment, granule)) {
                    case FREE -> free++;
                    case STAGED -> staged++;
                    case ILLEGAL, ALLOCATED -> {}
                }
            }
            return new Count(free, staged, FreemapLeaf.GRANULE_COUNT - free - staged);
        }

        Count plus(Count other) {
            return new Count(free + other.free, staged + other.staged, allocated + other.allocated);
        }

        char letter(int segment) {
            if (segment == 0) {
                return 'R';
            }
            int used = staged + allocated;
            if (used == 0) {
                return '.';
            }
            return used == FreemapLeaf.GRANULE_COUNT
                    ? '#'
                    : (char) ('0' + Math.max(1, used * 10 / FreemapLeaf.GRANULE_COUNT));
        }
    }
}
