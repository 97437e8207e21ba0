package io.hammer2.fs;

/** Takes the blocks of a file that can be shared, one by one. */
@FunctionalInterface
public interface StoredBlockSink {
    /**
     * Takes one block.
     *
     * @param offset in the file
     * @param dataOff as {@link StoredBlock#dataOff}
     * @param methods check method in the high, compression in the low nibble (format section 4.2)
     * @param check the first eight bytes of its check code
     * @return false when it is full; then this block was not taken
     */
    boolean block(long offset, long dataOff, int methods, long check);
}
