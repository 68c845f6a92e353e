//! The table of objects in `docs/architecture.md`, held against `wrangler.toml` and `src/objects/`.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test's own functions fail the test"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Tables = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_page_on_the_architecture_names_every_class_and_its_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let written = written(&fs::read_to_string(root.join("docs/architecture.md")).unwrap());
    let bound = fs::read_to_string(root.join("wrangler.toml")).unwrap();
    let bound = bound.lines().filter_map(|line| line.strip_prefix("class_name = "));
    let bound: BTreeSet<String> = bound.map(|name| name.trim_matches('"').to_owned()).collect();
    assert_eq!(written.keys().cloned().collect::<BTreeSet<_>>(), bound);
    for (class, tables) in &written {
        let name = class.to_lowercase();
        let folder = root.join("src/objects");
        let mut source = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        for file in files(&folder.join(&name)) {
            source.push_str(&fs::read_to_string(file).unwrap());
        }
        assert_eq!(tables, &created(&source), "the tables of {class}");
    }
}

/// The classes of the page, and the names in code quotes of the column of tables.
fn written(page: &str) -> Tables {
    let rows = page.lines().skip_while(|line| !line.starts_with("| class |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let class: Vec<String> = quoted(cells[1]);
        let tables: Vec<String> = quoted(cells[4]);
        (class[0].clone(), tables.into_iter().collect())
    })
    .collect()
}

fn created(source: &str) -> BTreeSet<String> {
    let name = |rest: &str| {
        let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    };
    source.split("CREATE TABLE ").skip(1).map(name).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}
