//! What a watch has delivered, pruned, by namespace and name.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cluster_view::Lookup;

/// Objects by namespace (empty for kinds without one), then by name.
pub(super) type Objects<T> = HashMap<String, BTreeMap<String, Arc<T>>>;

/// The objects of one kind. Unknown until a first whole list has been delivered.
#[derive(Debug)]
pub(super) struct Cache<T> {
    ready: AtomicBool,
    /// Held for a look-up or for one change, never across an await.
    objects: RwLock<Objects<T>>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            ready: AtomicBool::new(false),
            objects: RwLock::default(),
        }
    }
}

impl<T> Cache<T> {
    /// One object.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Lookup<Arc<T>> {
        self.look(|objects| {
            let found = objects.get(namespace)?.get(name)?;
            Some(Arc::clone(found))
        })
    }

    /// All objects of a namespace, by name.
    pub(super) fn list(&self, namespace: &str) -> Lookup<Vec<Arc<T>>> {
        self.look(|objects| {
            let found = objects.get(namespace).into_iter();
            Some(found.flat_map(BTreeMap::values).cloned().collect())
        })
    }

    /// All objects of all namespaces; none while unknown.
    pub(super) fn all(&self) -> Vec<Arc<T>> {
        let objects = self.read();
        objects
            .values()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect()
    }

    /// Whether a whole list has been delivered.
    pub(super) fn is_known(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    fn look<R>(&self, find: impl FnOnce(&Objects<T>) -> Option<R>) -> Lookup<R> {
        if !self.is_known() {
            return Lookup::Unknown;
        }
        find(&self.read()).map_or(Lookup::Absent, Lookup::Found)
    }

    /// Replaces everything; from then on the kind is known.
    pub(super) fn replace(&self, objects: Objects<T>) {
        // the old objects are dropped after the lock has been let go
        let old = std::mem::replace(&mut *self.write(), objects);
        self.ready.store(true, Ordering::Release);
        drop(old);
    }

    fn read(&self) -> RwLockReadGuard<'_, Objects<T>> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Objects<T>> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: PartialEq> Cache<T> {
    /// Stores an object, or forgets it where there is none any more; answers whether that changed anything.
    pub(super) fn set(&self, namespace: &str, name: &str, object: Option<T>) -> bool {
        let object = object.map(Arc::new);
        let mut objects = self.write();
        let before = objects.get(namespace).and_then(|named| named.get(name));
        let changed = before != object.as_ref();
        match object {
            Some(object) => insert(&mut objects, namespace.to_owned(), name.to_owned(), object),
            None => remove(&mut objects, namespace, name),
        }
        changed
    }
}

/// Stores an object in a collection that is not shared yet.
pub(super) fn insert<T>(objects: &mut Objects<T>, namespace: String, name: String, object: Arc<T>) {
    objects.entry(namespace).or_default().insert(name, object);
}

fn remove<T>(objects: &mut Objects<T>, namespace: &str, name: &str) {
    if let Some(named) = objects.get_mut(namespace) {
        named.remove(name);
        if named.is_empty() {
            objects.remove(namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_before_a_whole_list() {
        let cache = Cache::default();
        cache.set("shop", "web", Some(1));
        assert_eq!(cache.get("shop", "web"), Lookup::Unknown);
        assert_eq!(cache.list("shop"), Lookup::Unknown);
        cache.replace(Objects::new());
        assert_eq!(cache.get("shop", "web"), Lookup::Absent);
        assert_eq!(cache.list("shop"), Lookup::Found(Vec::new()));
    }

    #[test]
    fn namespaces_are_kept_apart() {
        let cache = Cache::default();
        cache.replace(Objects::new());
        cache.set("shop", "web", Some(1));
        cache.set("bank", "web", Some(2));
        assert_eq!(cache.get("shop", "web"), Lookup::Found(Arc::new(1)));
        assert_eq!(cache.list("bank"), Lookup::Found(vec![Arc::new(2)]));
        assert_eq!(cache.list("park"), Lookup::Found(Vec::new()));
    }

    #[test]
    fn only_a_difference_is_a_change() {
        let cache = Cache::default();
        assert!(cache.set("shop", "web", Some(1)));
        assert!(!cache.set("shop", "web", Some(1)));
        assert!(cache.set("shop", "web", Some(2)));
        assert!(cache.set("shop", "web", None));
        assert!(!cache.set("shop", "web", None));
        assert!(cache.read().is_empty());
    }
}
