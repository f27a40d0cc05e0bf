use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The workspace's folder and its packages.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    packages: Vec<Package>,
}

/// A package of the workspace, or a folder that is checked like one.
#[derive(Debug)]
pub struct Package {
    name: String,
    folder: PathBuf,
}

/// Folders that hold no source text of the workspace.
const SKIPPED: [&str; 5] = ["artifacts", "corpus", "node_modules", "snapshots", "target"];

/// The folder of the workspace's documents, and the name of the package that holds them.
const DOCS: &str = "docs";

impl Workspace {
    /// Returns the workspace that holds this package: every folder with a manifest, at the root and
    /// in `tests`, and `docs` for the Markdown files at the root and in the folder `docs`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("the package is in no workspace")?
            .to_owned();
        let mut packages = vec![Package {
            name: DOCS.to_owned(),
            folder: root.clone(),
        }];
        let mut folders = sorted_entries(&root)?;
        folders.extend(sorted_entries(&root.join("tests"))?);
        for entry in folders {
            // The sources of another package are checked there.
            let is_alias = entry.join("src").is_symlink();
            if is_package(&entry) && !is_alias {
                packages.push(Package {
                    name: file_name(&entry).to_owned(),
                    folder: entry,
                });
            }
        }
        Ok(Self { root, packages })
    }

    /// Returns the workspace's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the packages by name.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Returns a path as it is seen from the root.
    #[must_use]
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

impl Package {
    /// Returns the name of the package's folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the root file of the package's library, or of its binary if it has no library. The
    /// fuzz targets have none: they include modules of other packages.
    #[must_use]
    pub fn crate_root(&self) -> Option<PathBuf> {
        let roots = ["src/lib.rs", "src/main.rs"].map(|root| self.folder.join(root));
        let root = roots.into_iter().find(|root| root.is_file());
        root.filter(|_| self.name != "fuzz")
    }

    /// Returns the Rust and Markdown files of the package, sorted by path.
    ///
    /// # Errors
    ///
    /// If a folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        // The root of the workspace holds the other packages, so it is not searched recursively.
        let is_package = self.folder.join("src").is_dir();
        collect(&self.folder, is_package, &mut files)?;
        if self.name == DOCS {
            collect(&self.folder.join(DOCS), true, &mut files)?;
        }
        Ok(files)
    }
}

fn is_package(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
}

/// Collects the Rust and Markdown files of a folder, without those of packages in it.
fn collect(folder: &Path, recursive: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in sorted_entries(folder)? {
        if entry.is_dir() {
            if recursive && !SKIPPED.contains(&file_name(&entry)) && !is_package(&entry) {
                collect(&entry, recursive, files)?;
            }
        } else if entry
            .extension()
            .is_some_and(|kind| kind == "rs" || kind == "md")
        {
            files.push(entry);
        }
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_package_has_files_of_root_and_folder() {
        let workspace = Workspace::find().unwrap();
        let mut packages = workspace.packages().iter();
        let docs = packages.find(|package| package.name() == DOCS).unwrap();
        let files = docs.files().unwrap();
        let files: Vec<_> = files.iter().map(|file| workspace.relative(file)).collect();
        for expected in ["README.md", "docs/cli.md"] {
            assert!(files.contains(&Path::new(expected)), "{files:?}");
        }
    }
}
