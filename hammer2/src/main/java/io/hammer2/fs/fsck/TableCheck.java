package io.hammer2.fs.fsck;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Key;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** One block table: types, ranges, order (format section 7). */
final class TableCheck {
    private static final EnumSet<BlockType> TABLES = EnumSet.of(BlockType.INDIRECT, BlockType.FREEMAP_NODE);

    private final Reporter reporter;
    private long emptyCount;

    TableCheck(Reporter reporter) {
        this.reporter = reporter;
    }

    /** Empty slots seen so far. */
    long emptyCount() {
        return emptyCount;
    }

    /** Copies of the entries that can be followed, in the order of their keys; the others are reported. */
    List<BlockRef> accept(BlockTable table, Place place, Set<BlockType> allowed) {
        List<BlockRef> accepted = new ArrayList<>();
        BlockRef previous = null;
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (table.isEmpty(slot)) {
                emptyCount++;
                continue;
            }
            if (table.typeCode(slot) >= BlockType.values().length) {
                reporter.problem(
                        ProblemCode.BREF, place + " slot " + slot + ": type " + table.typeCode(slot) + " is unknown");
                continue;
            }
            BlockRef ref = table.ref(slot);
            if (accepts(ref, previous, place, allowed, slot)) {
                accepted.add(ref);
                previous = ref;
            }
        }
        return accepted;
    }

    private boolean accepts(BlockRef ref, BlockRef previous, Place place, Set<BlockType> allowed, int slot) {
        ProblemCode code;
        String why;
        if (!allowed.contains(ref.type())) {
            code = ProblemCode.BREF;
            why = "unexpected type";
        } else if (ref.keybits() > Long.SIZE || !Key.isAligned(ref.key(), ref.keybits())) {
            code = ProblemCode.KEY;
            why = "the key is not aligned to the keybits";
        } else if (previous != null && Key.lessOrEqual(ref.key(), previous.keyEnd())) {
            code = ProblemCode.ORDER;
            why = "not in ascending order, or overlapping";
        } else if (!fits(ref, place)) {
            code = ProblemCode.KEY;
            why = "outside of the range " + Key.text(place.low()) + "-" + Key.text(place.high());
        } else if (!CheckCode.isKnown(ref.checkMethod())) {
            code = ProblemCode.BREF;
            why = "check method " + ref.checkMethod();
        } else {
            return true;
        }
        reporter.problem(code, place + " slot " + slot + ": " + why + ": " + Place.label(ref), ref);
        return false;
    }

    /** A table may be wider than what it hangs under; nothing else may (section 7, rule 5). */
    private static boolean fits(BlockRef ref, Place place) {
        return TABLES.contains(ref.type())
                ? Key.lessOrEqual(place.low(), ref.keyEnd()) && Key.lessOrEqual(ref.key(), place.high())
                : Key.lessOrEqual(place.low(), ref.key()) && Key.lessOrEqual(ref.keyEnd(), place.high());
    }
}
