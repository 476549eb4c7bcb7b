# The projects that are there twice, in what packages bring along and in what builds each of it. It
# walks finished derivations, and knows nothing of how a file came about.
{
  # derivations that an environment names
  packages,
  # whether the builds count too
  builds ? true,
}:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    genericClosure
    groupBy
    isAttrs
    isString
    length
    listToAttrs
    map
    replaceStrings
    ;

  isPackage = value: isAttrs value && value ? outPath && value ? drvPath;
  node = drv: {
    key = drv.drvPath;
    inherit drv;
  };
  closure =
    drvs:
    map (found: found.drv) (genericClosure {
      startSet = map node (filter isPackage drvs);
      operator = found: map node (filter isPackage (found.drv.propagatedBuildInputs or [ ]));
    });

  normal = replaceStrings [ "_" "." ] [ "-" "-" ];
  # derivations without a project are no distributions
  named = filter (drv: isString (drv.pname or null) && drv ? pythonModule);
  twice =
    drvs:
    let
      projects = groupBy (drv: normal drv.pname) (named (closure drvs));
    in
    filter (project: length projects.${project} > 1) (attrNames projects);

  built = drv: twice ((drv.nativeBuildInputs or [ ]) ++ (drv.propagatedBuildInputs or [ ]));
  all = twice packages ++ (if builds then concatMap built (closure packages) else [ ]);
in
attrNames (
  listToAttrs (
    map (name: {
      inherit name;
      value = null;
    }) all
  )
)
