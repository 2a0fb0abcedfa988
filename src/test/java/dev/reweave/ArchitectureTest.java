package dev.reweave;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/** One way through the house: which package may know which. */
@AnalyzeClasses(packages = "dev.reweave", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule ROOMS =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("tensor")
          .definedBy("dev.reweave.tensor..")
          .layer("storage")
          .definedBy("dev.reweave.storage..")
          .layer("pytorch")
          .definedBy("dev.reweave.pytorch..")
          .layer("checkpoint")
          .definedBy("dev.reweave.checkpoint..")
          .optionalLayer("mapping")
          .definedBy("dev.reweave.mapping..")
          .optionalLayer("base")
          .definedBy("dev.reweave.base..")
          .layer("safetensors")
          .definedBy("dev.reweave.safetensors..")
          .layer("plan")
          .definedBy("dev.reweave.plan..")
          .layer("doctor")
          .definedBy("dev.reweave.doctor..")
          .layer("report")
          .definedBy("dev.reweave.report..")
          .layer("job")
          .definedBy("dev.reweave.job..")
          .layer("lake")
          .definedBy("dev.reweave.lake..")
          .layer("cli")
          .definedBy("dev.reweave.cli..")
          .whereLayer("tensor")
          .mayNotAccessAnyLayer()
          .whereLayer("storage")
          .mayNotAccessAnyLayer()
          .whereLayer("pytorch")
          .mayOnlyAccessLayers("tensor", "storage")
          .whereLayer("checkpoint")
          .mayOnlyAccessLayers("pytorch", "safetensors", "tensor", "storage")
          .whereLayer("safetensors")
          .mayOnlyAccessLayers("tensor", "storage")
          .whereLayer("mapping")
          .mayOnlyAccessLayers("tensor")
          .whereLayer("base")
          .mayOnlyAccessLayers("safetensors", "tensor", "storage")
          .whereLayer("plan")
          .mayOnlyAccessLayers(
              "base", "mapping", "checkpoint", "pytorch", "safetensors", "tensor", "storage")
          .whereLayer("doctor")
          .mayOnlyAccessLayers(
              "base", "mapping", "checkpoint", "pytorch", "safetensors", "tensor", "storage")
          .whereLayer("report")
          .mayOnlyAccessLayers(
              "plan", "base", "mapping", "checkpoint", "safetensors", "tensor", "storage")
          .whereLayer("lake")
          .mayOnlyAccessLayers("job", "report", "checkpoint", "tensor", "storage")
          .whereLayer("lake")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer();

  /** A conversion is made ready, its chunks are made, and neither knows of the whole run. */
  @ArchTest
  static final ArchRule ROOMS_OF_JOB =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("gather")
          .definedBy("dev.reweave.job.gather..")
          .layer("spark")
          .definedBy("dev.reweave.job.spark..")
          .layer("prepare")
          .definedBy("dev.reweave.job.prepare..")
          .layer("compare")
          .definedBy("dev.reweave.job.compare..")
          .layer("run")
          .definedBy("dev.reweave.job")
          .whereLayer("gather")
          .mayNotAccessAnyLayer()
          .whereLayer("spark")
          .mayOnlyAccessLayers("gather")
          .whereLayer("prepare")
          .mayOnlyAccessLayers("spark")
          .whereLayer("compare")
          .mayOnlyAccessLayers("gather", "spark", "prepare");

  @ArchTest
  static final ArchRule ONLY_JOB_AND_LAKE_KNOW_SPARK =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.reweave.job..", "dev.reweave.lake..", "dev.reweave.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "scala..");

  /** SQL stays at the edge: a conversion needs none of it. */
  @ArchTest
  static final ArchRule ONLY_LAKE_KNOWS_TABLES =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.reweave.lake..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.spark.sql..");

  @ArchTest
  static final ArchRule ONLY_STORAGE_KNOWS_FILE_SYSTEMS =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.reweave.storage..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.hadoop.fs..");

  @ArchTest
  static final ArchRule PLANS_TOUCH_NO_FILES =
      noClasses()
          .that()
          .resideInAPackage("dev.reweave.plan..")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("dev\\.reweave\\.storage\\.(Stores|RandomAccess|OutputFolder).*");

  @ArchTest
  static final ArchRule NO_CIRCLES =
      SlicesRuleDefinition.slices().matching("dev.reweave.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule NAMES_THAT_SAY_SOMETHING =
      classes()
          .should()
          .haveSimpleNameNotEndingWith("Utils")
          .andShould()
          .haveSimpleNameNotEndingWith("Util")
          .andShould()
          .haveSimpleNameNotEndingWith("Helper");
}
