package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.SteppedVolume;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What was written here with each compression of the format, read by a program that shares no code with us: every hash is right. */
final class IndependentReaderTest {
    private static final long DISK_BYTES = 64L << 20;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;

    @TempDir
    private Path work;

    private static Path checker() {
        return Path.of(System.getProperty("project.root")).resolve("../shared/tools/h2check.py");
    }

    /** Sizes around all limits, of bytes that compress, do not, are zero, and some of each. */
    private static Map<String, byte[]> contents() {
        Random random = new Random(12);
        Map<String, byte[]> contents = new TreeMap<>();
        for (int size : new int[] {
            0,
            1,
            511,
            512,
            513,
            1024,
            1025,
            4096,
            32768,
            32769,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            3 * BLOCK + 777,
            40 * BLOCK + 5
        }) {
            byte[] text = new byte[size];
            for (int i = 0; i < size; i++) {
                text[i] = (byte) (i > 90 && random.nextInt(9) != 0 ? text[i - 83] : 'a' + random.nextInt(26));
            }
            contents.put("text" + size, text);
            byte[] noise = new byte[size];
            random.nextBytes(noise);
            contents.put("noise" + size, noise);
            contents.put("zeros" + size, new byte[size]);
            byte[] mixed = text.clone();
            for (int at = 0; at + BLOCK <= size; at += BLOCK) {
                switch (random.nextInt(3)) {
                    case 0 -> Arrays.fill(mixed, at, at + BLOCK, (byte) 0);
                    case 1 -> System.arraycopy(noise, at, mixed, at, BLOCK);
                    default -> {}
                }
            }
            contents.put("mixed" + size, mixed);
        }
        return contents;
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "AUTOZERO", "LZ4", "ZLIB"})
    void every_hash_is_right(Compression compression) throws Exception {
        assumeTrue(Files.exists(checker()), "skipped: no shared/tools/h2check.py beside the project");
        Map<String, byte[]> contents = contents();
        Set<Integer> encodings = new TreeSet<>();
        Path image = work.resolve("image");
        try (SteppedVolume volume = new SteppedVolume(DISK_BYTES)) {
            volume.format();
            volume.mount();
            int made = 0;
            for (Map.Entry<String, byte[]> file : contents.entrySet()) {
                // Of all check codes, each in its turn.
                int check = made++ % CheckCode.FREEMAP.code();
                int level = compression == Compression.ZLIB ? 6 + made % 4 : 0;
                long inum = volume.create(file.getKey());
                volume.on(() -> {
                    volume.files().setDataPolicy(inum, level << 4 | compression.code(), check);
                    return null;
                });
                volume.write(inum, file.getValue());
            }
            volume.sync();
            for (String name : contents.keySet()) {
                encodings.addAll(volume.encodings(volume.on(() -> volume.files()
                        .lookup(FileSystem.ROOT_INUM, SteppedVolume.name(name))
                        .inum())));
            }
            volume.unmount();
            assertEquals(List.of(), SteppedVolume.problems(volume.disk(), FsckOptions.DEFAULT.withDeep(true)));
            copy(volume, image);
        }
        // The volume does have what it is about.
        boolean compresses = compression == Compression.LZ4 || compression == Compression.ZLIB;
        assertEquals(compresses ? Set.of(0, compression.code()) : Set.of(0), encodings);
        Map<String, String> hashes = new TreeMap<>();
        for (Map.Entry<String, byte[]> file : contents.entrySet()) {
            hashes.put(file.getKey(), file.getValue().length + " " + sha256(file.getValue()));
        }
        assertEquals(hashes, manifest(image));
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static void copy(SteppedVolume volume, Path image) throws IOException {
        int step = 1 << 20;
        MemorySegment bytes = Arena.ofAuto().allocate(step, 4096);
        MemorySegment zeros = Arena.ofAuto().allocate(step);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(DISK_BYTES);
            for (long at = 0; at < DISK_BYTES; at += step) {
                volume.disk().readFully(at, bytes);
                if (bytes.mismatch(zeros) >= 0) {
                    file.seek(at);
                    file.write(bytes.toArray(ValueLayout.JAVA_BYTE));
                }
            }
        }
    }

    /** Size and hash by name, of the files of DATA. */
    private Map<String, String> manifest(Path image) throws Exception {
        Path manifest = work.resolve("manifest");
        Path problems = work.resolve("problems");
        Process process = new ProcessBuilder("python3", checker().toString(), "--deep", "--manifest", image.toString())
                .redirectOutput(manifest.toFile())
                .redirectError(problems.toFile())
                .start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "h2check.py did not end");
        String said = Files.readString(problems);
        assertEquals(0, process.exitValue(), said);
        Map<String, String> hashes = new TreeMap<>();
        for (String line : Files.readAllLines(manifest, StandardCharsets.UTF_8)) {
            String[] fields = line.split("[ \t]+", -1);
            if (fields.length == 6 && fields[0].equals("f")) {
                hashes.put(fields[5].substring(fields[5].lastIndexOf('/') + 1), fields[3] + " " + fields[4]);
            }
        }
        return hashes;
    }
}
