package io.hammer2.fs.pipeline;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Compressor;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.codec.ZlibLibrary;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToIntFunction;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import java.util.zip.ZipInputStream;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * What a block costs in the pipeline beside the codec alone, on one thread and the same buffers, in turns: for {@code scripts/bench data}.
 * Encoding is everything that {@link BlockEncoder} does; decoding is check code, decoder, and the zeros behind its end.
 */
final class EncodingBenchmark {
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int BLOCKS = 128;
    private static final int ROUNDS = 9;
    private static final long ROUND_NANOS = 120_000_000;
    private static final int XXHASH64 = CheckCode.XXHASH64.code();
    private static final int LZ4_HEAD_BYTES = 4;

    private final List<MemorySegment> blocks;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(Compressor.roomFor(BLOCK));
    private final MemorySegment logical = arena.allocate(BLOCK);

    private EncodingBenchmark(List<MemorySegment> blocks) {
        this.blocks = blocks;
    }

    /** Argument: a zip file with text in it. */
    public static void main(String[] args) throws Exception {
        List<MemorySegment> blocks = new ArrayList<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(Path.of(args[0])))) {
            while (blocks.size() < BLOCKS && zip.getNextEntry() != null) {
                read(zip, blocks);
            }
        }
        System.out.printf("%d blocks of 64 KiB of %s; zlib is %s%n", blocks.size(), args[0], ZlibLibrary.inUse());
        System.out.printf("%-34s %10s %10s %6s%n", "MB/s on one core", "bare", "pipeline", "ratio");
        EncodingBenchmark benchmark = new EncodingBenchmark(blocks);
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            lwkt.run(0, () -> {
                benchmark.run();
                return null;
            });
        }
    }

    private void run() {
        checks();
        encode("lz4", Compression.LZ4, 0, bareLz4());
        for (int level : new int[] {6, 9}) {
            encode("zlib:" + level, Compression.ZLIB, level, bareZlib(level));
        }
        for (int level : new int[] {1, 3, 9, 15}) {
            encode("zstd:" + level, Compression.ZSTD, level, bareZstd(level));
        }
        decode();
    }

    /** Entries of some size only: a block that is made of many small files is no block of a file. */
    private static void read(InputStream entry, List<MemorySegment> blocks) throws IOException {
        byte[] bytes = entry.readAllBytes();
        for (int at = 0; at + BLOCK <= bytes.length && blocks.size() < BLOCKS; at += BLOCK) {
            blocks.add(Arena.global()
                    .allocate(BLOCK, 4096)
                    .copyFrom(MemorySegment.ofArray(bytes).asSlice(at, BLOCK)));
        }
    }

    private void checks() {
        MemorySegment area = MemorySegment.ofArray(new byte[CheckCode.AREA_BYTES]);
        for (CheckCode check : new CheckCode[] {CheckCode.ISCSI32, CheckCode.XXHASH64, CheckCode.SHA192}) {
            ToIntFunction<MemorySegment> bare = block -> {
                check.store(block, area);
                return 1;
            };
            row(
                    "encode autozero, " + text(check),
                    bare,
                    pipeline(DataPolicy.of(Compression.AUTOZERO.code(), check.code(), 0)));
        }
    }

    private static String text(CheckCode check) {
        return check.name().toLowerCase(Locale.ROOT);
    }

    private void encode(String name, Compression method, int level, ToIntFunction<MemorySegment> bare) {
        DataPolicy policy = DataPolicy.of(level << 4 | method.code(), XXHASH64, VolumeHeader.EXTENSION_ZSTD);
        row("encode " + name + ", xxhash64", bare, pipeline(policy));
    }

    private ToIntFunction<MemorySegment> pipeline(DataPolicy policy) {
        BufferPool buffers = new BufferPool();
        BlockEncoder encoder = new BlockEncoder(buffers);
        return block -> {
            OutgoingBlock outgoing = new OutgoingBlock(0, block, policy, true, () -> {});
            encoder.encode(outgoing);
            int size = outgoing.isHole() ? 0 : (int) outgoing.stored().byteSize();
            outgoing.releaseEncoded(buffers);
            return size;
        };
    }

    private ToIntFunction<MemorySegment> bareLz4() {
        LZ4Compressor lz4 = LZ4Factory.fastestInstance().fastCompressor();
        ByteBuffer into = scratch.asByteBuffer();
        return block -> lz4.compress(block.asByteBuffer(), 0, BLOCK, into, 0, into.capacity());
    }

    private ToIntFunction<MemorySegment> bareZlib(int level) {
        if (ZlibLibrary.inUse() == ZlibLibrary.LIBDEFLATE) {
            Compressor compressor = new Compressor();
            return block -> compressor.compress(Compression.ZLIB, level, block, scratch);
        }
        Deflater deflater = new Deflater(level);
        ByteBuffer into = scratch.asSlice(0, BLOCK / 2).asByteBuffer();
        return block -> {
            deflater.setInput(block.asByteBuffer());
            deflater.finish();
            int length = deflater.deflate(into.clear());
            deflater.reset();
            return length;
        };
    }

    private ToIntFunction<MemorySegment> bareZstd(int level) {
        ZstdCompressCtx zstd = new ZstdCompressCtx().setLevel(level);
        ByteBuffer into = scratch.asByteBuffer();
        return block -> zstd.compressDirectByteBuffer(into, 0, into.capacity(), block.asByteBuffer(), 0, BLOCK);
    }

    private void decode() {
        List<MemorySegment> stored = encoded(Compression.LZ4);
        LZ4SafeDecompressor lz4 = LZ4Factory.fastestInstance().safeDecompressor();
        ByteBuffer into = logical.asByteBuffer();
        decodeRow(
                "lz4",
                Compression.LZ4,
                stored,
                block -> lz4.decompress(block.asByteBuffer(), LZ4_HEAD_BYTES, lengthOf(block), into, 0, BLOCK));
        stored = encoded(Compression.ZLIB);
        Decompressor bareZlib = new Decompressor();
        Inflater inflater = new Inflater();
        decodeRow(
                "zlib",
                Compression.ZLIB,
                stored,
                ZlibLibrary.inUse() == ZlibLibrary.LIBDEFLATE
                        ? block -> bareZlib.decompress(Compression.ZLIB, block, logical)
                        : block -> inflate(inflater, block, into));
        stored = encoded(Compression.ZSTD);
        ZstdDecompressCtx zstd = new ZstdDecompressCtx();
        decodeRow(
                "zstd",
                Compression.ZSTD,
                stored,
                block -> zstd.decompressDirectByteBuffer(
                        into, 0, BLOCK, block.asByteBuffer(), LZ4_HEAD_BYTES, lengthOf(block)));
    }

    private static int lengthOf(MemorySegment stored) {
        return stored.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
    }

    private static int inflate(Inflater inflater, MemorySegment block, ByteBuffer into) {
        try {
            inflater.setInput(block.asByteBuffer());
            int length = inflater.inflate(into.clear());
            inflater.reset();
            return length;
        } catch (DataFormatException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Those that got smaller, as they are stored. */
    private List<MemorySegment> encoded(Compression method) {
        List<MemorySegment> stored = new ArrayList<>();
        BufferPool buffers = new BufferPool();
        BlockEncoder encoder = new BlockEncoder(buffers);
        for (MemorySegment block : blocks) {
            OutgoingBlock outgoing = new OutgoingBlock(
                    0, block, DataPolicy.of(method.code(), XXHASH64, VolumeHeader.EXTENSION_ZSTD), true, () -> {});
            encoder.encode(outgoing);
            if (outgoing.isCompressed()) {
                stored.add(outgoing.stored());
            }
        }
        return stored;
    }

    private void decodeRow(
            String name, Compression method, List<MemorySegment> stored, ToIntFunction<MemorySegment> bare) {
        Decompressor decompressor = new Decompressor();
        MemorySegment area = MemorySegment.ofArray(new byte[CheckCode.AREA_BYTES]);
        int[] sum = new int[1];
        ToIntFunction<MemorySegment> pipeline = block -> {
            sum[0] += CheckCode.XXHASH64.matches(block, area) ? 1 : 0;
            return decompressor.decompress(method, block, logical);
        };
        print("decode " + name + ", xxhash64", measure(stored, bare, pipeline));
    }

    private void row(String name, ToIntFunction<MemorySegment> bare, ToIntFunction<MemorySegment> pipeline) {
        print(name, measure(blocks, bare, pipeline));
    }

    private static void print(String name, double[] figures) {
        System.out.printf(
                Locale.ROOT, "%-34s %10.0f %10.0f %6.2f%n", name, figures[0], figures[1], figures[1] / figures[0]);
    }

    /** Medians of logical MB/s, of rounds in turns. */
    private static double[] measure(
            List<MemorySegment> blocks, ToIntFunction<MemorySegment> bare, ToIntFunction<MemorySegment> pipeline) {
        double[] bareRounds = new double[ROUNDS];
        double[] pipelineRounds = new double[ROUNDS];
        for (int round = -2; round < ROUNDS; round++) {
            double alone = round(blocks, bare);
            double within = round(blocks, pipeline);
            if (round >= 0) {
                bareRounds[round] = alone;
                pipelineRounds[round] = within;
            }
        }
        Arrays.sort(bareRounds);
        Arrays.sort(pipelineRounds);
        return new double[] {bareRounds[ROUNDS / 2], pipelineRounds[ROUNDS / 2]};
    }

    private static double round(List<MemorySegment> blocks, ToIntFunction<MemorySegment> work) {
        long start = System.nanoTime();
        long done = 0;
        long sum = 0;
        while (System.nanoTime() - start < ROUND_NANOS) {
            for (int i = 0; i < 16; i++) {
                sum += work.applyAsInt(blocks.get((int) (done++ % blocks.size())));
            }
        }
        long nanos = System.nanoTime() - start;
        if (sum == 0) {
            throw new IllegalStateException("nothing was done");
        }
        return done * (double) BLOCK * 1000 / nanos;
    }
}
