package io.hammer2.fs.simulation;

import io.hammer2.fs.media.DirectoryHash;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Names that meet each other: few, of every length that the format treats in its own way, and many of them with one hash. */
final class Names {
    private static final int COLLIDING = 12;
    private static final int[] LENGTHS = {1, 63, 64, 65, 128, 254, 255};

    /** The parts of a name count in any order (format section 10.2), so a few of many orders have the whole hash in common. */
    private static final List<String> SHORT_COLLISIONS = collisions("");

    private static final List<String> LONG_COLLISIONS = collisions("0123456789");

    private static final List<String> IMPOSSIBLE = List.of("", ".", "..", "a/b", "a\0b", "x".repeat(256));

    private Names() {}

    /** A name out of about {@code variety}. */
    static String some(SplittableRandom random, int variety) {
        int number = random.nextInt(variety);
        return switch (number % 8) {
            case 5 -> SHORT_COLLISIONS.get(number / 8 % COLLIDING);
            case 6 ->
                number % 16 == 6
                        ? LONG_COLLISIONS.get(number / 16 % COLLIDING)
                        : padded(number, LENGTHS[number / 16 % LENGTHS.length]);
            case 7 -> "\u00ff\u0080" + number;
            default -> "n" + number;
        };
    }

    /** One that nothing can be made under. */
    static String impossible(SplittableRandom random) {
        return IMPOSSIBLE.get(random.nextInt(IMPOSSIBLE.size()));
    }

    private static String padded(int number, int length) {
        String text = String.valueOf((char) ('A' + number % 26));
        return text.repeat(length);
    }

    private static List<String> collisions(String padding) {
        Map<Long, List<String>> byHash = new HashMap<>();
        permute(new ArrayList<>(), new boolean[8], padding, byHash);
        List<String> names = new ArrayList<>();
        byHash.values().stream()
                .sorted(Comparator.comparingInt((List<String> group) -> -group.size())
                        .thenComparing(List::getFirst))
                .limit(COLLIDING)
                .forEach(names::addAll);
        return names.subList(0, COLLIDING);
    }

    private static void permute(List<String> parts, boolean[] used, String padding, Map<Long, List<String>> byHash) {
        if (parts.size() == used.length) {
            String name = String.join(".", parts);
            long hash = DirectoryHash.of(name.getBytes(StandardCharsets.ISO_8859_1));
            byHash.computeIfAbsent(hash, absent -> new ArrayList<>()).add(name);
            return;
        }
        for (int i = 0; i < used.length; i++) {
            if (!used[i]) {
                used[i] = true;
                parts.add((char) ('a' + i) + padding);
                permute(parts, used, padding, byHash);
                parts.removeLast();
                used[i] = false;
            }
        }
    }
}
