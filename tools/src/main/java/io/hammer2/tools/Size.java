package io.hammer2.tools;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes as people write and read them. */
final class Size {
    private static final String SUFFIXES = "KMGT";
    private static final int STEP_BITS = 10;

    /** A number with one of the suffixes K, M, G and T, powers of two, in either case; bytes without one. */
    static final class Parser implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return parse(text);
        }
    }

    static long parse(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        int shift = 0;
        if (digits < text.length()) {
            shift = STEP_BITS * (SUFFIXES.indexOf(text.substring(digits).toUpperCase(Locale.ROOT)) + 1);
        }
        boolean wellFormed =
                digits > 0 && digits < 19 && digits >= text.length() - 1 && (shift > 0 || digits == text.length());
        long number = wellFormed ? Long.parseLong(text.substring(0, digits)) : 0;
        if (number <= 0 || number > Long.MAX_VALUE >> shift) {
            throw new TypeConversionException("'" + text + "' is no size: write a number with K, M, G or T");
        }
        return number << shift;
    }

    /** Three digits or so, as in {@code 1.50 GiB}. */
    static String text(long bytes) {
        int step = 0;
        double value = bytes;
        while (value >= 1024 && step < SUFFIXES.length()) {
            value /= 1024;
            step++;
        }
        return step == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.2f %ciB", value, SUFFIXES.charAt(step - 1));
    }

    private Size() {}
}
