package io.hammer2.fs.testing;

import com.github.luben.zstd.Zstd;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;

/** Compressed blocks that somebody made to do harm, from a seed: wrong lengths, streams cut off, garbage, and streams that expand without end. */
public final class HostileBlocks {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int HEAD_BYTES = 4;
    private static final int ZSTD_MAGIC = 0xFD2FB528;
    private static final int BOMB_BYTES = 50 << 20;
    private static final int KINDS = 7;

    private final Random random;
    private final Compression method;
    private final byte[] bomb;

    /** @param method LZ4, ZLIB or ZSTD */
    public HostileBlocks(Random random, Compression method) {
        this.random = random;
        this.method = method;
        this.bomb = bomb(method);
    }

    /** Zeros without end, or nearly so: a thousand times as many as the block has bytes. */
    private static byte[] bomb(Compression method) {
        byte[] stored = new byte[Limits.BLOCK_BYTES_MAX];
        switch (method) {
            case LZ4 -> {
                // A literal, then one match whose length goes on to the end of the block.
                Arrays.fill(stored, (byte) 0xFF);
                stored[4] = 0x1F;
                stored[6] = 1;
                stored[7] = 0;
            }
            case ZLIB -> {
                Deflater deflater = new Deflater(9);
                deflater.setInput(new byte[BOMB_BYTES]);
                deflater.finish();
                deflater.deflate(stored);
                deflater.end();
            }
            case ZSTD -> {
                byte[] frame = Zstd.compress(new byte[BOMB_BYTES]);
                System.arraycopy(frame, 0, stored, HEAD_BYTES, frame.length);
                MemorySegment.ofArray(stored).set(INT, 0, frame.length);
            }
            case NONE, AUTOZERO -> throw new IllegalArgumentException(method + " encodes nothing");
        }
        return stored;
    }

    /** Puts a block in place of {@code stored} that claims to be a thousand times as large as it is. */
    public void bomb(MemorySegment stored) {
        int size = (int) stored.byteSize();
        MemorySegment.copy(MemorySegment.ofArray(bomb), 0, stored, 0, size);
        if (method != Compression.ZLIB && (method == Compression.LZ4 || stored.get(INT, 0) > size - HEAD_BYTES)) {
            stored.set(INT, 0, size - HEAD_BYTES);
        }
    }

    /** Makes a sound block one that does harm; now and then it is sound still, or garbage of the right length. */
    public void harm(MemorySegment stored) {
        int size = (int) stored.byteSize();
        switch (random.nextInt(KINDS)) {
            case 0 -> stored.set(INT, 0, random.nextInt());
            case 1 -> stored.set(INT, 0, size - random.nextInt(12) + 4);
            case 2 -> stored.asSlice(random.nextInt(size)).fill((byte) (random.nextBoolean() ? 0 : 0xFF));
            case 3 -> {
                for (int i = 1 + random.nextInt(8); i > 0; i--) {
                    set(stored, random.nextInt(Math.min(size, 64)), random.nextInt());
                }
            }
            case 4 -> {
                for (int i = 1 + random.nextInt(64); i > 0; i--) {
                    int at = random.nextInt(size);
                    set(stored, at, stored.get(ValueLayout.JAVA_BYTE, at) ^ (1 << random.nextInt(8)));
                }
            }
            case 5 -> bomb(stored);
            default -> garbage(stored, size);
        }
    }

    /** Behind a beginning as it should be. */
    private void garbage(MemorySegment stored, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        stored.copyFrom(MemorySegment.ofArray(bytes));
        if (method == Compression.ZLIB) {
            set(stored, 0, 0x78);
            set(stored, 1, 0x9C);
            return;
        }
        stored.set(INT, 0, 1 + random.nextInt(size - HEAD_BYTES));
        if (method == Compression.ZSTD) {
            stored.set(INT, HEAD_BYTES, ZSTD_MAGIC);
        }
    }

    private static void set(MemorySegment stored, int at, int value) {
        stored.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }
}
