package io.hammer2.fs.fsck;

import java.util.Set;

/**
 * What to verify.
 *
 * @param bestHeaderOnly leave out the trees of the older header copies, to which a mount falls back
 * @param readData read and verify file data, not only what leads to it
 * @param deep decompress every data block as well
 * @param eachPfsAlone verify a PFS as if there were no other: nothing that snapshots share is taken as seen already
 * @param onlyPfs names of the PFSs to verify; empty for all
 * @param findPaths look for the path of what is damaged
 * @param reportsPerCodeMax how many findings of a kind reach the listener; all are counted
 * @param referencesMax block references after which it gives up
 */
public record FsckOptions(
        boolean bestHeaderOnly,
        boolean readData,
        boolean deep,
        boolean eachPfsAlone,
        Set<String> onlyPfs,
        boolean findPaths,
        int reportsPerCodeMax,
        long referencesMax) {
    /** Everything but decompression; 60 findings of each kind. */
    public static final FsckOptions DEFAULT = new FsckOptions(false, true, false, false, Set.of(), true, 60, 1L << 36);

    public FsckOptions {
        onlyPfs = Set.copyOf(onlyPfs);
    }

    public FsckOptions withBestHeaderOnly(boolean value) {
        return new FsckOptions(
                value, readData, deep, eachPfsAlone, onlyPfs, findPaths, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withReadData(boolean value) {
        return new FsckOptions(
                bestHeaderOnly, value, deep, eachPfsAlone, onlyPfs, findPaths, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withDeep(boolean value) {
        return new FsckOptions(
                bestHeaderOnly, readData, value, eachPfsAlone, onlyPfs, findPaths, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withEachPfsAlone(boolean value) {
        return new FsckOptions(
                bestHeaderOnly, readData, deep, value, onlyPfs, findPaths, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withOnlyPfs(Set<String> value) {
        return new FsckOptions(
                bestHeaderOnly, readData, deep, eachPfsAlone, value, findPaths, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withFindPaths(boolean value) {
        return new FsckOptions(
                bestHeaderOnly, readData, deep, eachPfsAlone, onlyPfs, value, reportsPerCodeMax, referencesMax);
    }

    public FsckOptions withReportsPerCodeMax(int value) {
        return new FsckOptions(bestHeaderOnly, readData, deep, eachPfsAlone, onlyPfs, findPaths, value, referencesMax);
    }

    public FsckOptions withReferencesMax(long value) {
        return new FsckOptions(
                bestHeaderOnly, readData, deep, eachPfsAlone, onlyPfs, findPaths, reportsPerCodeMax, value);
    }
}
