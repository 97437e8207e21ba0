package io.hammer2.tools;

import io.hammer2.fs.media.VolumeHeader;
import java.util.ArrayList;
import java.util.List;

/** What a volume has that DragonFly does not know, for people. */
final class ExtensionText {
    /** What stands beside every mention of zstd. */
    static final String ZSTD = "DragonFly cannot read files that are stored so, its kernel panics on them";

    private ExtensionText() {}

    /** Names of extensions. */
    static List<String> names(int mask) {
        List<String> names = new ArrayList<>();
        if ((mask & VolumeHeader.EXTENSION_ZSTD) != 0) {
            names.add("zstd");
        }
        int others = mask & ~VolumeHeader.EXTENSION_ZSTD;
        if (others != 0) {
            names.add(String.format("unknown-%08x", others));
        }
        return names;
    }

    static String of(int mask) {
        return String.join(" ", names(mask));
    }

    /** A member of the object that is being written. */
    static void write(JsonWriter json, int mask) {
        json.name("extensions").beginArray();
        names(mask).forEach(json::value);
        json.endArray();
    }
}
