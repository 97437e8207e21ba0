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
 * Encoding is everything that {@link BlockEncoder} does; decoding is check code, decoder, and the zeros behind its end, into memory of the
 * size of a small cache.
 */
final class EncodingBenchmark {
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int BLOCKS = 128;
    private static final int XXHASH64 = CheckCode.XXHASH64.code();
    private static final int LENGTH_WORD_BYTES = 4;
    private static final int FRAMES = 128;

    private static final String WHOSE_ZLIB = ZlibLibrary.inUse() == ZlibLibrary.JDK ? " (JDK)" : "";

    private final List<MemorySegment> blocks;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(Compressor.roomFor(BLOCK));
    private final Frames frames = new Frames(arena);
    private final String only;

    /** Where blocks are decoded to, one after the other, as in a cache. */
    private static final class Frames {
        private final MemorySegment[] segments = new MemorySegment[FRAMES];
        private final ByteBuffer[] views = new ByteBuffer[FRAMES];
        private int next;

        private Frames(Arena arena) {
            for (int i = 0; i < FRAMES; i++) {
                segments[i] = arena.allocate(BLOCK, 4096);
                views[i] = segments[i].asByteBuffer();
            }
        }

        private MemorySegment segment() {
            return segments[next++ % FRAMES];
        }

        private ByteBuffer view() {
            return views[next++ % FRAMES].clear();
        }
    }

    private EncodingBenchmark(List<MemorySegment> blocks, String only) {
        this.blocks = blocks;
        this.only = only;
    }

    /** Arguments: a zip file with text in it, and a word that is in the names of what is measured, or nothing. */
    public static void main(String[] args) throws Exception {
        List<MemorySegment> blocks = new ArrayList<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(Path.of(args[0])))) {
            while (blocks.size() < BLOCKS && zip.getNextEntry() != null) {
                read(zip, blocks);
            }
        }
        System.out.printf("%d blocks of 64 KiB of %s; zlib is %s%n", blocks.size(), args[0], ZlibLibrary.inUse());
        System.out.printf("%-34s %10s %10s %6s%n", "MB/s on one core", "bare", "pipeline", "ratio");
        EncodingBenchmark benchmark = new EncodingBenchmark(blocks, args[1]);
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
            encode("zlib:" + level + WHOSE_ZLIB, Compression.ZLIB, level, bareZlib(level));
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
                    blocks,
                    bare,
                    pipeline(DataPolicy.of(Compression.AUTOZERO.code(), check.code(), 0)));
        }
    }

    private static String text(CheckCode check) {
        return check.name().toLowerCase(Locale.ROOT);
    }

    private void encode(String name, Compression method, int level, ToIntFunction<MemorySegment> bare) {
        DataPolicy policy = DataPolicy.of(level << 4 | method.code(), XXHASH64, VolumeHeader.EXTENSION_ZSTD);
        row("encode " + name + ", xxhash64", blocks, bare, pipeline(policy));
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
        LZ4SafeDecompressor lz4 = LZ4Factory.fastestInstance().safeDecompressor();
        decode(
                "lz4",
                Compression.LZ4,
                block -> lz4.decompress(
                        block.asByteBuffer(), LENGTH_WORD_BYTES, lengthOf(block), frames.view(), 0, BLOCK));
        Decompressor libdeflate = new Decompressor();
        Inflater inflater = new Inflater();
        decode(
                "zlib" + WHOSE_ZLIB,
                Compression.ZLIB,
                ZlibLibrary.inUse() == ZlibLibrary.LIBDEFLATE
                        ? block -> libdeflate.decompress(Compression.ZLIB, block, frames.segment())
                        : block -> inflate(inflater, block, frames.view()));
        ZstdDecompressCtx zstd = new ZstdDecompressCtx();
        decode(
                "zstd",
                Compression.ZSTD,
                block -> zstd.decompressDirectByteBuffer(
                        frames.view(), 0, BLOCK, block.asByteBuffer(), LENGTH_WORD_BYTES, lengthOf(block)));
    }

    private static int lengthOf(MemorySegment stored) {
        return stored.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
    }

    private static int inflate(Inflater inflater, MemorySegment block, ByteBuffer into) {
        try {
            inflater.setInput(block.asByteBuffer());
            int length = inflater.inflate(into);
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

    private void decode(String name, Compression method, ToIntFunction<MemorySegment> bare) {
        Decompressor decompressor = new Decompressor();
        MemorySegment area = MemorySegment.ofArray(new byte[CheckCode.AREA_BYTES]);
        int[] sum = new int[1];
        ToIntFunction<MemorySegment> pipeline = block -> {
            sum[0] += CheckCode.XXHASH64.matches(block, area) ? 1 : 0;
            return decompressor.decompress(method, block, frames.segment());
        };
        row("decode " + name + ", xxhash64", encoded(method), bare, pipeline);
    }

    private void row(
            String name,
            List<MemorySegment> over,
            ToIntFunction<MemorySegment> bare,
            ToIntFunction<MemorySegment> pipeline) {
        if (name.contains(only)) {
            InTurns turns = new InTurns(over, bare, pipeline).run();
            System.out.printf(
                    Locale.ROOT,
                    "%-34s %10.0f %10.0f %6.2f%n",
                    name,
                    turns.median(0),
                    turns.median(1),
                    turns.medianRatio());
        }
    }
}
