package io.hammer2.tools;

import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.PfsType;

/** Roles of PFSs in listings: MASTER, SLAVE, ... and SNAPSHOT for a master that is one. */
final class PfsTypeText {
    private static final int SUBTYPE_SNAPSHOT = 1;
    private static final int SUBTYPE_AUTOSNAP = 2;

    static String of(int typeCode, int subtype) {
        PfsType type;
        try {
            type = PfsType.of(typeCode);
        } catch (CorruptBlockException e) {
            return "TYPE" + typeCode;
        }
        return of(type, subtype);
    }

    static String of(PfsType type, int subtype) {
        if (type != PfsType.MASTER) {
            return type.name();
        }
        return switch (subtype) {
            case SUBTYPE_SNAPSHOT -> "SNAPSHOT";
            case SUBTYPE_AUTOSNAP -> "AUTOSNAP";
            default -> type.name();
        };
    }

    private PfsTypeText() {}
}
