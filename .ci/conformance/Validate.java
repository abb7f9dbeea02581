import java.io.File;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Validates PDF files against a profile of veraPDF: Validate 2a FILE… Exit status 3 when one fails. */
public class Validate {
    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.fromString(args[0]);
        boolean all = true;
        for (int i = 1; i < args.length; i++) {
            all &= validate(new File(args[i]), flavour);
        }
        System.exit(all ? 0 : 3);
    }

    private static boolean validate(File file, PDFAFlavour flavour) throws Exception {
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            System.out.printf("%s: %s with %s, %d checks%n", file.getName(),
                    result.isCompliant() ? "compliant" : "NOT compliant", flavour, result.getTotalAssertions());
            for (TestAssertion a : result.getTestAssertions()) {
                if (a.getStatus() == TestAssertion.Status.FAILED) {
                    System.out.printf("  %s/%d: %s at %s%n", a.getRuleId().getClause(), a.getRuleId().getTestNumber(),
                            a.getMessage(), a.getLocation().getContext());
                }
            }
            return result.isCompliant();
        }
    }
}
