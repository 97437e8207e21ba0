package io.hammer2.fs.simulation;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.PfsDifference;
import io.hammer2.fs.media.NameText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Judges a list of differences by two trees that were seen, each compared in full. */
final class DifferenceCheck {
    private final Map<Long, ModelInode> before;
    private final Map<Long, ModelInode> after;
    private final Map<String, Name> namesBefore;
    private final Map<String, Name> namesAfter;

    /** An entry, apart from where its directory is by now. */
    private record Name(long parent, String name, long inum) {}

    DifferenceCheck(Map<Long, ModelInode> before, Map<Long, ModelInode> after) {
        this.before = before;
        this.after = after;
        this.namesBefore = names(before);
        this.namesAfter = names(after);
    }

    private static Map<String, Name> names(Map<Long, ModelInode> tree) {
        Map<String, Name> names = new TreeMap<>();
        Map<Long, String> paths = new TreeMap<>();
        paths.put(FileSystem.ROOT_INUM, "");
        Deque<Long> left = new ArrayDeque<>(List.of(FileSystem.ROOT_INUM));
        while (!left.isEmpty()) {
            long parent = left.remove();
            tree.get(parent).entries.forEach((name, inum) -> {
                String path = paths.get(parent) + "/" + NameText.of(name.getBytes(StandardCharsets.ISO_8859_1));
                names.put(path, new Name(parent, name, inum));
                if (tree.get(inum).isDirectory()) {
                    paths.put(inum, path);
                    left.add(inum);
                }
            });
        }
        return names;
    }

    void check(List<PfsDifference> differences) {
        Set<String> told = new HashSet<>();
        for (PfsDifference difference : differences) {
            boolean right = switch (difference.kind()) {
                case ADDED -> isGained(difference.path());
                case DELETED -> isLost(difference.path());
                case RENAMED -> isLost(difference.path()) && isGained(difference.newPath());
                case MODIFIED -> isModified(difference.path());
            };
            require(right, "not so: " + difference);
            require(told.add(difference.kind() + difference.path() + difference.newPath()), "twice: " + difference);
        }
        Set<String> gained = new HashSet<>();
        Set<String> lost = new HashSet<>();
        Set<String> modified = new HashSet<>();
        for (PfsDifference difference : differences) {
            switch (difference.kind()) {
                case ADDED -> gained.add(difference.path());
                case DELETED -> lost.add(difference.path());
                case RENAMED -> {
                    lost.add(difference.path());
                    gained.add(difference.newPath());
                }
                case MODIFIED -> modified.add(difference.path());
            }
        }
        namesAfter.forEach((path, name) -> require(
                !isGained(path) || gained.contains(path) || modified.contains(path), "untold: " + path + " is new"));
        namesBefore.forEach((path, name) ->
                require(!isLost(path) || lost.contains(path) || isTakenOver(name), "untold: " + path + " is gone"));
        requireModifiedTold(modified);
    }

    private void requireModifiedTold(Set<String> modified) {
        Set<Long> told = new HashSet<>();
        modified.forEach(path -> told.add(path.equals("/") ? FileSystem.ROOT_INUM : namesAfter.get(path).inum));
        after.forEach((inum, inode) -> require(
                !before.containsKey(inum) || !differs(before.get(inum), inode) || told.contains(inum),
                "untold: inode " + inum + " is modified"));
    }

    private boolean isGained(String path) {
        Name name = namesAfter.get(path);
        return name != null && !namesBefore.containsValue(name);
    }

    private boolean isLost(String path) {
        Name name = namesBefore.get(path);
        return name != null && !namesAfter.containsValue(name);
    }

    private boolean isTakenOver(Name lost) {
        return namesAfter.values().stream().anyMatch(name -> name.parent == lost.parent && name.name.equals(lost.name));
    }

    private boolean isModified(String path) {
        if (path.equals("/")) {
            return differs(before.get(FileSystem.ROOT_INUM), after.get(FileSystem.ROOT_INUM));
        }
        Name name = namesAfter.get(path);
        if (name == null) {
            return false;
        }
        boolean otherInode = isGained(path)
                && namesBefore.values().stream()
                        .anyMatch(old -> old.parent == name.parent && old.name.equals(name.name));
        ModelInode was = before.get(name.inum);
        return otherInode || (was != null && differs(was, after.get(name.inum)));
    }

    private static boolean differs(ModelInode one, ModelInode other) {
        boolean attributes = one.type != other.type
                || one.mode != other.mode
                || one.uid != other.uid
                || one.gid != other.gid
                || one.uflags != other.uflags
                || one.rmajor != other.rmajor
                || one.rminor != other.rminor;
        return attributes
                || (!one.isDirectory() && (one.mtime != other.mtime || one.content.hash() != other.content.hash()));
    }

    private void require(boolean holds, String objection) {
        if (!holds) {
            throw new AssertionError(objection + "\nbefore " + namesBefore + "\nafter " + namesAfter);
        }
    }
}
