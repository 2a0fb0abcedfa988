package dev.reweave.testing;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.catalog.TableInfo;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * A catalog of tables in the memory of the tests, as a lake has them: rows become visible in
 * commits, and are replaced by a condition. What it does not allow is set as {@code
 * spark.sql.catalog.NAME.KEY}.
 */
public final class MemoryCatalog implements TableCatalog {
  /** Setting: a namespace in which no table can be made. */
  public static final String CLOSED = "closed";

  /** Setting: a namespace that is not there. */
  public static final String ABSENT = "absent";

  /** By catalog and name. */
  private static final Map<String, MemoryTable> TABLES = new ConcurrentHashMap<>();

  private String name = "";
  private CaseInsensitiveStringMap settings = CaseInsensitiveStringMap.empty();

  /** For Spark. */
  public MemoryCatalog() {}

  /** A table by its full name, as {@code lake.models.tensors}. */
  public static MemoryTable table(String name) {
    return TABLES.get(name);
  }

  /** Puts a table there. */
  public static void put(String name, MemoryTable table) {
    TABLES.put(name, table);
  }

  @Override
  public void initialize(String catalog, CaseInsensitiveStringMap options) {
    name = catalog;
    settings = options;
  }

  @Override
  public String name() {
    return name;
  }

  private String key(Identifier table) {
    return name + "." + String.join(".", table.namespace()) + "." + table.name();
  }

  @Override
  public Identifier[] listTables(String[] namespace) {
    return new Identifier[0];
  }

  @Override
  public Table loadTable(Identifier table) throws NoSuchTableException {
    MemoryTable found = TABLES.get(key(table));
    if (found == null) {
      throw new NoSuchTableException(table);
    }
    return found;
  }

  @Override
  public Table createTable(Identifier table, TableInfo info) throws NoSuchNamespaceException {
    String namespace = String.join(".", table.namespace());
    if (namespace.equals(settings.get(ABSENT))) {
      throw new NoSuchNamespaceException(table.namespace());
    }
    if (namespace.equals(settings.get(CLOSED))) {
      throw new UnsupportedOperationException("user tests may make no table in " + namespace);
    }
    MemoryTable made = new MemoryTable(key(table), info.columns(), info.partitions());
    TABLES.put(key(table), made);
    return made;
  }

  @Override
  public Table alterTable(Identifier table, TableChange... changes) {
    throw new UnsupportedOperationException("no table is altered here");
  }

  @Override
  public boolean dropTable(Identifier table) {
    return TABLES.remove(key(table)) != null;
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw new UnsupportedOperationException("no table is renamed here");
  }
}
