package dev.reweave.sql;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.SavedSteps;
import dev.reweave.common.Location;
import dev.reweave.storage.Stores;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import scala.collection.immutable.Map.Map1;

/**
 * A catalog whose tables are named by addresses. With the setting {@code
 * spark.sql.catalog.reweave=dev.reweave.sql.AddressCatalog}, a checkpoint can be asked without
 * further words: {@code SELECT * FROM reweave.`s3a://bucket/run`}. The steps of a checkpoint are
 * its versions: {@code VERSION AS OF 'global_step100'}, or {@code VERSION AS OF 100}. Options of
 * {@link ReweaveSource}, as {@code spark.sql.catalog.reweave.mapping}, hold for all of them.
 */
public final class AddressCatalog implements TableCatalog {
  private String name = "";
  private Map<String, String> options = Map.of();

  /** For Spark. */
  public AddressCatalog() {}

  @Override
  public void initialize(String catalog, CaseInsensitiveStringMap settings) {
    name = catalog;
    options = settings.asCaseSensitiveMap();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Identifier[] listTables(String[] namespace) {
    return new Identifier[0];
  }

  @Override
  public Table loadTable(Identifier table) throws NoSuchTableException {
    return new TensorTable(source(table));
  }

  /** The step of this tag; or the one whose tag ends in this number. */
  @Override
  public Table loadTable(Identifier table, String version) throws NoSuchTableException {
    Stores stores = SqlSession.stores(source(table));
    List<String> steps = new SavedSteps(stores).all(stores.locate(table.name()));
    Map<String, String> all = new HashMap<>(options);
    all.put(ReadOptions.TAG.key(), step(version, steps, table.name()));
    return new TensorTable(source(table, all));
  }

  private static String step(String version, List<String> steps, String address) {
    if (steps.contains(version)) {
      return version;
    }
    Pattern numbered = Pattern.compile("(?s)(?:.*\\D)?0*" + Pattern.quote(version));
    List<String> found =
        version.matches("\\d+")
            ? steps.stream().filter(step -> numbered.matcher(step).matches()).toList()
            : List.of();
    if (found.size() != 1) {
      throw SqlFailures.noVersion(version, address, found.isEmpty() ? steps : found);
    }
    return found.get(0);
  }

  private SourceOptions source(Identifier table) throws NoSuchTableException {
    if (table.namespace().length > 0) {
      throw new NoSuchTableException(table);
    }
    SourceOptions source = source(table, options);
    if (!isThere(source, table)) {
      // For a table that is not there Spark looks for a file format of this catalog's name.
      AddressCatalog.<RuntimeException>raise(
          new AnalysisException("PATH_NOT_FOUND", new Map1<>("path", table.name())));
    }
    return source;
  }

  private static SourceOptions source(Identifier table, Map<String, String> options) {
    Map<String, String> all = new HashMap<>(options);
    all.put(SourceOptions.PATH, table.name());
    return SourceOptions.of(new CaseInsensitiveStringMap(all));
  }

  private static boolean isThere(SourceOptions source, Identifier table) {
    Stores stores = SqlSession.stores(source);
    Location address = stores.locate(table.name());
    return stores.file(address).isPresent() || stores.isFolder(address);
  }

  /** Scala, in which Spark expects it, declares no exceptions. */
  @SuppressWarnings("unchecked")
  private static <E extends Exception> void raise(Exception e) throws E {
    throw (E) e;
  }

  @Override
  public boolean tableExists(Identifier table) {
    return table.namespace().length == 0 && isThere(source(table, options), table);
  }

  /** As Spark 4.0 asks for it, and newer ones in the end. */
  @Deprecated
  @Override
  public Table createTable(
      Identifier table, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    throw SqlFailures.onlyRead("CREATE TABLE", table.name());
  }

  @Override
  public Table alterTable(Identifier table, TableChange... changes) {
    throw SqlFailures.onlyRead("ALTER TABLE", table.name());
  }

  @Override
  public boolean dropTable(Identifier table) {
    throw SqlFailures.onlyRead("DROP TABLE", table.name());
  }

  @Override
  public boolean purgeTable(Identifier table) {
    throw SqlFailures.onlyRead("DROP TABLE", table.name());
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw SqlFailures.onlyRead("ALTER TABLE", from.name());
  }
}
