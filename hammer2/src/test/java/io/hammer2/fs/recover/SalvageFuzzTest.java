package io.hammer2.fs.recover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.testing.ImageMutator;
import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hostile media: whatever they hold, a recovery ends, within bounds, without an exception. */
final class SalvageFuzzTest {
    private static final List<String> IMAGES = List.of("v09-version1", "v10-labels", "v16-metadata", "v04-zlib");
    private static final int MUTATIONS = 6;
    private static final long SCANNED_BYTES = 384L << 20;

    /** A file may claim any size; what is handed over is what lies on the medium, each version once. */
    private static final long BYTES_MAX = 4L << 30;

    /** Counts what it is given. */
    private static final class Counting implements SalvageSink {
        private long files;
        private long bytes;
        private long damaged;

        @Override
        public void directory(List<byte[]> path, InodeBlock inode) {}

        @Override
        public void file(List<byte[]> path, InodeBlock inode, Source content) throws IOException {
            files++;
            damaged += content.read((offset, part) -> {
                assertTrue(offset >= 0 && offset + part.byteSize() <= inode.sizeBytes(), "inside the file");
                bytes += part.byteSize();
            });
        }

        @Override
        public void missing(List<byte[]> path, long count) {
            damaged += count;
        }

        @Override
        public void progress(String phase, long done, long total) {
            assertTrue(done <= total, phase);
        }
    }

    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void every_mutation_of_a_real_image_ends_within_bounds() throws IOException {
        long firstSeed = Long.getLong("fuzz.seed", 1);
        int count = Integer.getInteger("fuzz.count", MUTATIONS);
        long files = 0;
        long damaged = 0;
        for (String name : IMAGES) {
            var image = InteropImages.find(name);
            if (image.isEmpty()) {
                continue;
            }
            try (ImageMutator mutator = ImageMutator.open(image.get())) {
                for (long seed = firstSeed; seed < firstSeed + count; seed++) {
                    ImageMutator.Mutation mutation = mutator.mutate(seed);
                    Counting found = recover(mutation, (seed & 1) == 0);
                    files += found.files;
                    damaged += found.damaged;
                }
            }
        }
        // A recovery that finds nothing would pass for a robust one, a mutator that changes nothing, too.
        assertTrue(files > 500, "only " + files + " files");
        assertTrue(damaged > 0, "no damage was noticed");
    }

    private static Counting recover(ImageMutator.Mutation mutation, boolean isRelaxed) {
        Counting found = new Counting();
        try {
            // The devices are the mutator's, and so stay open.
            RawMedium medium = RawMedium.of(mutation.volumes(), isRelaxed, SCANNED_BYTES);
            Salvage.run(medium, new Salvage.Wanted(List.of(), true, false), found);
        } catch (IOException | RuntimeException | Error e) {
            throw new AssertionError("an exception escaped: " + mutation, e);
        }
        assertTrue(found.bytes < BYTES_MAX, () -> mutation + ": " + found.bytes + " bytes");
        return found;
    }
}
