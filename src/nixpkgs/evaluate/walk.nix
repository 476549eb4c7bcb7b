# Walks a part of one Python package set of a tree and says of each attribute what its recipe came
# to. An attribute that throws is told as such; one that aborts ends the walk, and is walked alone.
{
  path,
  set,
  system,
  first ? "0",
  count ? "0",
}:
let
  inherit (builtins)
    attrNames
    deepSeq
    elemAt
    filter
    fromJSON
    functionArgs
    genList
    intersectAttrs
    isAttrs
    isBool
    isFunction
    isList
    isString
    length
    listToAttrs
    map
    mapAttrs
    tryEval
    unsafeDiscardStringContext
    ;

  wanted = {
    inherit system;
    overlays = [ ];
    config = {
      allowAliases = false;
      allowBroken = true;
      allowUnfree = true;
      allowUnsupportedSystem = true;
    };
  };
  tree = import path;
  accepted = functionArgs tree;
  pkgs = tree (if accepted == { } then wanted else intersectAttrs accepted wanted);
  packages = pkgs.${set};
  names = attrNames packages;

  # a value that can be told, or null
  try =
    value:
    let
      tried = tryEval (deepSeq value value);
    in
    if tried.success then tried.value else null;

  text = value: if isString value then unsafeDiscardStringContext value else null;
  texts = value: if isList value then map text value else null;
  flag = value: if isBool value then value else null;
  names' = value: if value == true then true else texts value;

  isPackage = value: isAttrs value && value ? pythonModule && value ? pname;
  reference = value: [
    (text value.pname)
    (text (value.version or null))
  ];
  references = list: if isList list then map reference (filter isPackage list) else null;

  source =
    src:
    if isAttrs src then
      {
        name = try (text (src.name or null));
        url = try (text (src.url or (elemAt (src.urls or [ null ]) 0)));
        owner = try (text (src.owner or null));
        repo = try (text (src.repo or null));
        tag = try (text (src.tag or null));
        rev = try (text (src.rev or null));
      }
    else
      null;

  recipe = package: {
    pname = try (text (package.pname or null));
    version = try (text (package.version or null));
    member = try (package ? pythonModule);
    own = try (package ? overridePythonAttrs);
    broken = try (flag (package.meta.broken or false));
    dependencies = try (
      references ((package.dependencies or [ ]) ++ (package.propagatedBuildInputs or [ ]))
    );
    build = try (references (package.build-system or [ ]));
    optional = try (mapAttrs (_: references) (package.optional-dependencies or { }));
    relaxed = try (names' (package.pythonRelaxDeps or [ ]));
    removed = try (names' (package.pythonRemoveDeps or [ ]));
    patches = try (map (patch: text (baseNameOf (toString patch))) (package.patches or [ ]));
    tests = try (texts (package.disabledTests or [ ]));
    paths = try (texts (package.disabledTestPaths or [ ]));
    patch = try (text (package.postPatch or null));
    root = try (text (package.sourceRoot or null));
    cargo = try (package ? cargoDeps);
    source = try (source (package.src or null));
  };

  told =
    name:
    let
      tried = tryEval (
        let
          value = packages.${name};
        in
        if isAttrs value && (value.type or null) == "derivation" then value else null
      );
    in
    {
      inherit name;
      value =
        if !tried.success then
          "throws"
        else if tried.value == null then
          "other"
        else
          recipe tried.value;
    };

  # numbers come as texts, and as JSON that is what they are
  from = fromJSON first;
  amount = fromJSON count;
  most = length names - from;
in
if amount == 0 then
  { count = length names; }
else
  listToAttrs (
    genList (index: told (elemAt names (from + index))) (if amount < most then amount else most)
  )
