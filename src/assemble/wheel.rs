//! What wheels tell of entries: the libraries that native code links, the modules that are installed.

use std::sync::Arc;

use super::parallel;
use crate::index::{Catalog, IndexError, WheelFacts};
use crate::plan::{self, Wheels};

/// Reads the wheels that the plan asks for. A wheel that cannot be read is no error: what it would have
/// told is only evidence, and that it is missing is said.
///
/// # Errors
/// Anything that fetching can run into; a file that is not what the index says.
pub(super) fn facts(
    catalog: &dyn Catalog,
    request: &plan::Request<'_>,
) -> Result<Wheels, IndexError> {
    let wanted = plan::wheels_to_read(request);
    let read = parallel::map(&wanted, |(pin, wheel, extent)| {
        let facts = match catalog.wheel_facts(&pin.name, wheel, *extent) {
            Err(IndexError::Malformed { reason, .. }) => Arc::new(WheelFacts {
                wheel: wheel.file.clone(),
                unread: Some(format!("cannot be read: {reason}")),
                ..WheelFacts::default()
            }),
            facts => facts?,
        };
        Ok(((pin.name.clone(), pin.version.clone()), facts))
    })?;
    let mut wheels = Wheels::new();
    for (key, facts) in read {
        wheels.entry(key).or_default().push(facts);
    }
    Ok(wheels)
}
