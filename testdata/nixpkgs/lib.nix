# The functions of nixpkgs' `lib` that a generated file, or this package set, uses.
let
  inherit (builtins)
    attrNames
    compareVersions
    concatMap
    elemAt
    filter
    foldl'
    functionArgs
    head
    intersectAttrs
    isAttrs
    isFunction
    isList
    length
    listToAttrs
    map
    stringLength
    substring
    tail
    ;
in
rec {
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatLists
    concatMap
    concatStringsSep
    elem
    elemAt
    filter
    head
    isFunction
    length
    listToAttrs
    mapAttrs
    removeAttrs
    replaceStrings
    tail
    ;

  # fixed points
  fix =
    f:
    let
      self = f self;
    in
    self;
  extends =
    change: base: final:
    let
      prev = base final;
    in
    prev // change final prev;
  composeExtensions =
    first: second: final: prev:
    let
      once = first final prev;
    in
    once // second final (prev // once);
  composeManyExtensions = foldl' composeExtensions (_: _: { });
  makeOverridable =
    f: arguments:
    let
      result = f arguments;
      override =
        change: makeOverridable f (arguments // (if isFunction change then change arguments else change));
    in
    if isAttrs result then result // { inherit override; } else result;

  # conditions
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  optionalString = condition: text: if condition then text else "";
  optionalAttrs = condition: set: if condition then set else { };
  versionOlder = a: b: compareVersions a b < 0;
  versionAtLeast = a: b: compareVersions a b >= 0;

  # lists and sets
  flatten = value: if isList value then concatMap flatten value else [ value ];
  unique = foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = without: filter (x: !builtins.elem x without);
  genAttrs =
    names: f:
    listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );
  filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  getAttrs = names: set: genAttrs names (name: set.${name});
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if isAttrs set && set ? ${head path} then
      attrByPath (tail path) default set.${head path}
    else
      default;
  isDerivation = value: isAttrs value && value.type or null == "derivation";

  # strings
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    stringLength text >= stringLength suffix
    && substring (stringLength text - stringLength suffix) (-1) text == suffix;
  removePrefix =
    prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (map f list);
  escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  # what nixpkgs leaves out of every source
  cleanSourceFilter =
    path: type:
    let
      name = baseNameOf (toString path);
    in
    !(
      (type == "directory" && builtins.elem name [ ".git" ".svn" "CVS" ".hg" ])
      || hasSuffix "~" name
      || (type == "symlink" && hasPrefix "result" name)
    );
  cleanSourceWith =
    { src, filter }:
    builtins.path {
      name = "source";
      path = src;
      inherit filter;
    };
  getName = drv: drv.pname or (builtins.parseDrvName drv.name).name;
  inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";

  # packages
  callPackageWith =
    scope: file: extra:
    let
      f = if isFunction file then file else import file;
      wanted = functionArgs f;
      found = intersectAttrs wanted scope // extra;
      missing = filter (name: !wanted.${name} && !(found ? ${name})) (attrNames wanted);
    in
    if missing == [ ] then
      makeOverridable f found
    else
      abort "callPackage: nothing is named ${builtins.concatStringsSep ", " missing}";
  # the output of a package that a path search wants
  getDev = drv: drv.dev or drv;
  getLib = drv: drv.lib or drv;
  getBin = drv: drv.bin or drv;
  makeLibraryPath = concatMapStringsSep ":" (drv: "${getLib drv}/lib");
  fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  platforms = genAttrs [ "all" "unix" "linux" "darwin" ] (name: [ name ]);
  sourceTypes = genAttrs [ "fromSource" "binaryNativeCode" "binaryBytecode" ] (name: {
    shortName = name;
  });
  # like nixpkgs, an unknown licence is an evaluation error
  licenses =
    genAttrs
      [
        "afl20"
        "afl21"
        "agpl3Only"
        "agpl3Plus"
        "asl20"
        "boost"
        "bsd0"
        "bsd1"
        "bsd2"
        "bsd3"
        "cc-by-40"
        "cc0"
        "epl20"
        "eupl12"
        "gpl2Only"
        "gpl2Plus"
        "gpl3Only"
        "gpl3Plus"
        "hpnd"
        "isc"
        "lgpl21Only"
        "lgpl21Plus"
        "lgpl2Only"
        "lgpl2Plus"
        "lgpl3Only"
        "lgpl3Plus"
        "mit"
        "mit-cmu"
        "mit0"
        "mpl20"
        "psfl"
        "publicDomain"
        "unfree"
        "unlicense"
        "wtfpl"
        "zlib"
        "zpl21"
      ]
      (name: {
        shortName = name;
        free = name != "unfree";
      })
    // {
      AND = list: {
        licenseType = "compound";
        op = "AND";
        inherit list;
      };
      OR = list: {
        licenseType = "compound";
        op = "OR";
        inherit list;
      };
    };
}
