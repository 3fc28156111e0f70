//! From a wish to a request where there is nothing but the wish: no folder, no configuration, no processes.

use alloc::format;
use alloc::vec::Vec;

use serde_json::Value as Json;

use super::{
    HolderWish, InvalidWish, RequestDraft, ServiceDraft, ServiceWish, UnusableVariable, Wish,
};
use crate::reading::Problem;
use crate::{Catalog, Framework, HostSettings, InvalidArgument, Name, Request};

impl Wish {
    /// The request, of a caller that asks on behalf of others.
    ///
    /// What would have to be looked up on the machine is refused: its folders and its processes are not here.
    pub fn request(&self, settings: &HostSettings) -> Result<Request, InvalidWish> {
        let project = self.project()?;
        let services = self.each()?.iter().enumerate();
        let services = services
            .map(|(index, wish)| wish.draft(&settings.catalog, &self.place(index)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut draft = RequestDraft {
            exclude: settings.exclude.clone(),
            pools: settings.pools.clone(),
            ..RequestDraft::default()
        };
        self.request.apply(&mut draft)?;
        let project = project.parse()?;
        let services = services
            .iter()
            .map(|(service, framework)| {
                service.service(framework, &settings.presets, &draft.profile)
            })
            .collect::<Result<_, _>>()?;
        Ok(draft.request(project, services, None)?)
    }

    /// What to tell the user about environment variables whose values are unusable.
    pub fn warnings(&self) -> impl Iterator<Item = UnusableVariable> {
        let each = self.each().unwrap_or_default();
        each.iter()
            .filter_map(|wish| wish.env_var.as_ref()?.warning())
    }

    fn project(&self) -> Result<&str, InvalidArgument> {
        let wish = &self.request;
        if let Some(folder) = &wish.cwd {
            let problem = "A planner sees no folder. Name the project (`projectId`) and the framework (`framework`).";
            return Err(unseen("cwd", Some(&folder.as_str().into()), problem));
        }
        if let Some(HolderWish::Myself | HolderWish::Process(_)) = wish.holder {
            let problem = "A planner sees no process. Whoever confirms the plan says who listens.";
            return Err(unseen("holder", None, problem));
        }
        wish.project_id.as_deref().ok_or_else(|| {
            let problem =
                "A planner sees no folder that would tell the project. Name it: `projectId`.";
            unseen("projectId", None, problem)
        })
    }
}

impl ServiceWish {
    fn draft<'a>(
        &self,
        catalog: &'a Catalog,
        place: &str,
    ) -> Result<(ServiceDraft, &'a Framework), InvalidWish> {
        let named = self.framework(catalog, place)?;
        let mut names = named.into_iter().chain(self.project_type.as_deref());
        let framework = names.find_map(|name| catalog.get(name));
        if let (None, Some(command)) = (framework, &self.run_command) {
            let problem = "A planner sees no folder whose scripts would tell what the command starts. Name the framework \
                           (`framework`).";
            let path = format!("{place}runCommand");
            return Err(unseen(&path, Some(&command.as_str().into()), problem).into());
        }
        let framework = framework.unwrap_or_else(|| catalog.or_default("default"));
        let name: Name = self.service.as_deref().unwrap_or("web").parse()?;
        let mut draft = ServiceDraft::new(&name);
        self.apply(&mut draft)?;
        Ok((draft, framework))
    }
}

fn unseen(path: &str, value: Option<&Json>, problem: &str) -> InvalidArgument {
    InvalidArgument::new(path, value, &Problem::new(problem))
}
