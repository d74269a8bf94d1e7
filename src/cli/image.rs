//! What is said of a text that is no name of an image.

use crate::auth::image_name::refusal;
use crate::auth::registry::shown;
use crate::resolver::image::NoImage;

/// What is wrong, and what to name in its place.
pub(super) fn sentence(no_image: NoImage<'_>) -> String {
    let problem = match no_image {
        NoImage::Empty => "the image is empty: name one such as registry.example.com/group/app:1.0",
        NoImage::Variable => "the image contains a variable: give the name that it stands for",
        NoImage::Scheme => "an image has no scheme: leave out everything before the host",
        NoImage::Blank => "the image contains spaces: leave them out",
        NoImage::Refused(image) => return refusal(image),
        NoImage::Registry(registry) => {
            let registry = shown(registry);
            return format!(
                "'{registry}' is a registry, and an image of that name is looked for on Docker Hub: \
                 name one of its images, such as {registry}/group/app:1.0"
            );
        }
    };
    problem.to_owned()
}
