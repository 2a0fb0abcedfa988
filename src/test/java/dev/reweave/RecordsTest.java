package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import java.util.Map;
import java.util.TreeSet;

/**
 * Records are values that a reader takes in at a glance, and a caller fills in without counting.
 */
@AnalyzeClasses(packages = "dev.reweave", importOptions = ImportOption.DoNotIncludeTests.class)
class RecordsTest {
  private static final int MOST_FIELDS = 8;

  private static final String READ_BACK =
      "a document that is read back: not every version of Jackson puts groups of its fields together";

  /** Those that have more, each with its reason. */
  private static final Map<String, String> LARGER =
      Map.of(
          "manifest.Manifest", READ_BACK,
          "manifest.Manifest$Figures", READ_BACK,
          "manifest.WrittenTensor", READ_BACK);

  @ArchTest
  static void recordsHaveFewFields(JavaClasses house) {
    TreeSet<String> larger = new TreeSet<>();
    for (JavaClass type : house) {
      if (type.isRecord() && type.reflect().getRecordComponents().length > MOST_FIELDS) {
        larger.add(type.getName().substring("dev.reweave.".length()));
      }
    }

    assertEquals(new TreeSet<>(LARGER.keySet()), larger);
  }
}
